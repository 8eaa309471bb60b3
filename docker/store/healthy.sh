#!/bin/bash
# Healthy when it answers HTTP at all: without a signature it refuses, which is an answer.
exec 3<>/dev/tcp/127.0.0.1/9200 || exit 1
printf 'GET / HTTP/1.0\r\n\r\n' >&3
read -r -t 4 answer <&3
[[ "$answer" == HTTP/1.* ]]
