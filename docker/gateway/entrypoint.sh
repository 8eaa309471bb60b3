#!/bin/bash
# Writes what depends on the place, checks the secrets, and runs nginx.
set -euo pipefail
fail() { echo "gateway: $*" >&2; exit 1; }

[ $# -eq 0 ] || exec "$@"
for file in "$GATEWAY_TOKEN_FILE" /run/secrets/genlevel/tls.crt /run/secrets/genlevel/tls.key; do
  [ -r "$file" ] || fail "cannot read $file: mount it there, readable by user $(id -u)"
done
token=$(tr -d '\r\n' <"$GATEWAY_TOKEN_FILE")
[[ "$token" =~ ^[A-Za-z0-9._~+/=-]{16,}$ ]] || fail "$GATEWAY_TOKEN_FILE: a token has at least 16 letters, digits or ._~+/=- and nothing else"
[[ "$GATEWAY_DOMAIN" =~ ^(\.[A-Za-z0-9-]+)*$ ]] || fail "GATEWAY_DOMAIN=$GATEWAY_DOMAIN: write it like .genlevel.svc.cluster.local"
resolver=$(awk '$1 == "nameserver" {print $2; exit}' /etc/resolv.conf)
[ -n "$resolver" ] || fail "/etc/resolv.conf names no name server"
case "$resolver" in *:*) resolver="[$resolver]" ;; esac
pattern=$(printf %s "$token" | sed 's/[.+]/\\&/g')
umask 077
mkdir -p /tmp/gateway
cat >/tmp/gateway/place.conf <<END
resolver $resolver valid=5s ipv6=off;
resolver_timeout 5s;
map \$http_authorization \$authorised {
  default 0;
  "~^(?i:bearer) $pattern\$" 1;
}
map "" \$domain { default "$GATEWAY_DOMAIN"; }
END
nginx -t -q || fail "the configuration or the certificate is not usable: see the line above"
exec nginx
