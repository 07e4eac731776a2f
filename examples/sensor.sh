#!/bin/sh
# A sensor with curl: sh examples/sensor.sh http://localhost:8000 lab.load [readings]
#
# Publishes a reading each second, each until the server has it. Its id is made once, before the first try, so a
# reading that is sent again after a broken connection counts once. PARTYLINE_TOKEN is used where it is set.
set -eu

url="${1:?the server, such as http://localhost:8000}/api/topics/${2:?the topic, such as lab.load}/events"
readings="${3:--1}" # how many; for ever without it

# The reading, any JSON value: put your own sensor here. This is how many processes want the processor.
measure() {
    printf '{"load": %s}' "$(LC_ALL=C uptime | sed 's/.*load averages*: *\([0-9.]*\).*/\1/')"
}

# The header goes through standard input: what stands on a command line, all users of the machine can see.
publish() {
    if [ -n "${PARTYLINE_TOKEN:-}" ]; then printf 'Authorization: Bearer %s\n' "$PARTYLINE_TOKEN"; fi |
        curl --silent --show-error --max-time 20 --header @- --header 'Content-Type: application/json' \
            --write-out '\n%{http_code}' --data "{\"id\": \"$1\", \"data\": $2}" "$url"
}

name="$(uname -n)-$$-$(date +%s)"
number=0
while [ "$number" -ne "$readings" ]; do
    number=$((number + 1))
    data="$(measure)"
    wait=1
    while :; do
        answer="$(publish "$name-$number" "$data")" || true
        case "$answer" in
            *200 | *201) break ;;
            *000 | *429 | *5[0-9][0-9]) ;; # no answer, or not now
            *)
                echo "sensor: the server refuses the reading: $answer" >&2
                exit 1
                ;;
        esac
        echo "sensor: not published; again in $wait seconds" >&2
        sleep "$wait"
        if [ "$wait" -lt 30 ]; then wait=$((wait * 2)); fi
    done
    sleep "${EVERY:-1}"
done
