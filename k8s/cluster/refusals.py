"""What kubectl's error output means: cause and remedy in place of Go's words."""

from __future__ import annotations

import re

from k8s.cluster.problem import Problem

# In order: the first pattern that is found decides. {0} is the first group, {context} the context in use.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"[Cc]onnection to the server (\S+) was refused|dial tcp (\S+): connect: connection refused",
        "the cluster of context {context} does not answer at {0}: connection refused",
        "Start the cluster (kind, k3d and minikube stop with their container engine), or name another: `make up CONTEXT=NAME`.",
    ),
    (
        r"lookup (\S+?)(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure)",
        "the cluster of context {context} has the host name {0}, which cannot be resolved",
        "The cluster is gone or behind a VPN. Correct the server in the kubeconfig, or name another: `make up CONTEXT=NAME`.",
    ),
    (
        r"(?:context was not found for specified context: |context \")(\S+?)\"?(?: does not exist)?$",
        "the kubeconfig has no context {0}",
        "List them with `kubectl config get-contexts`, then `make up CONTEXT=NAME`.",
    ),
    (
        r"(x509: certificate has expired[^\n]*|tls: (?:expired certificate|certificate required)[^\n]*)",
        "a certificate of context {context} is no longer good: {0}",
        "Renew the credentials of the context (for kind: `kind export kubeconfig`), and look at the clock of this machine.",
    ),
    (
        r"(x509: [^\n]*)",
        "the certificate of the cluster of context {context} is not trusted: {0}",
        "The cluster was probably made anew under an old address: fetch its kubeconfig again.",
    ),
    (
        r"(Unauthorized|must be logged in to the server|Please enter Username|the server has asked for the client to provide credentials)",
        "the cluster does not accept the credentials of context {context}; they are missing or expired",
        "Log in again with your cluster's own command, then `kubectl auth whoami` must answer.",
    ),
    (
        r"(getting credentials: exec: [^\n]*)",
        "the credentials of context {context} cannot be fetched: {0}",
        "Install the named program or log in again with your cluster's own command.",
    ),
    (
        r"(i/o timeout|context deadline exceeded|Client\.Timeout exceeded|timed out waiting for the condition|TLS handshake timeout|no route to host|network is unreachable)",
        "the cluster of context {context} does not answer in time ({0})",
        "Is it running, and is this machine allowed to reach it (VPN, firewall)? `kubectl cluster-info` must answer.",
    ),
    (
        r"conflict with \"([^\"]+)\"",
        "somebody else ({0}) has set fields that the manifests set too",
        "Look at the lines above. Take the fields over with `make up FORCE=1`, or set them in an overlay of your own.",
    ),
    (
        r"exceeded quota: ([^\n]*)",
        "the namespace's quota does not allow it: {0}",
        "Raise the ResourceQuota, or take a smaller overlay (`make up OVERLAY=local`) or fewer replicas.",
    ),
    (
        r"admission webhook \"([^\"]+)\" denied the request:? ?([^\n]*)",
        "the cluster's admission webhook {0} refuses it",
        "The words above are the webhook's; ask whoever runs it, or change the overlay.",
    ),
    (
        r"violates PodSecurity \"([^\"]+)\"",
        "the namespace's pod security ({0}) refuses it",
        "Our pods meet `restricted`; a patch of the overlay or the cluster's own injection breaks it. See the lines above.",
    ),
    (
        r"(updates to statefulset spec[^\n]*|spec is immutable after creation[^\n]*|field can not be less than[^\n]*|field is immutable[^\n]*)",
        "the cluster holds an object whose change Kubernetes does not allow: {0}",
        "`make down` and then `make up` makes it anew and keeps the data; a claim that should shrink must go with its data (`make down DATA=1`).",
    ),
    (
        r"no matches for kind \"([^\"]+)\" in version \"([^\"]+)\"",
        "the cluster does not know the kind {0}",
        "Install the operator or the CRDs it belongs to, or take another overlay.",
    ),
    (
        r"Error from server \(Forbidden\): ([^\n]*)",
        "not permitted: {0}",
        "Ask for that right in the namespace, or use a context that has it.",
    ),
)  # fmt: skip


def problem(stderr: str, context: str, doing: str) -> Problem:
    """The problem behind kubectl's error output.

    Args:
        stderr: What kubectl wrote.
        context: The context in use.
        doing: What was tried, for errors nobody foresaw.
    """
    text = tidy(stderr)
    for pattern, cause, remedy in _MEANINGS:
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            groups = [group for group in found.groups() if group] or [""]
            said = cause.format(groups[0], context=context or "(none)")
            return Problem(f"{doing}: {said}{_detail(text, said)}", remedy)
    return Problem(
        f"{doing}: {text or 'kubectl failed without a word'}", "The words are kubectl's. Try again with `make status`."
    )


def tidy(stderr: str) -> str:
    """Kubectl's error output without its log lines, which repeat the error, and without warnings."""
    lines = [line for line in stderr.strip().splitlines() if not re.match(r"[EWI]\d{4} |Warning: ", line)]
    return "\n".join(lines) if lines else stderr.strip()


def _detail(text: str, said: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) <= 1 and (not lines or lines[0] in said or len(said) > 120):
        return ""
    return "".join(f"\n    {line}" for line in lines[:12])
