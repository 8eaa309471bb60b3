"""The tool behind ``make up``, ``down``, ``smoke``, ``status`` and ``logs``: GenLevel on a Kubernetes cluster, through kubectl."""
