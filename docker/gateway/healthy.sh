#!/bin/bash
# Healthy when nginx answers on its health port.
exec 3<>/dev/tcp/127.0.0.1/9444 || exit 1
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 answer <&3
[[ "$answer" == "HTTP/1."*" 200 "* ]]
