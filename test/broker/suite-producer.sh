# Sourced by "check": what a producer does beyond plain sends, with the Java client at the other end.

# The bodies of a file of JSON lines, sorted.
bodies()
{
    jq -r .body "$1" | sort
}

batches_both_ways()
{
    local ours
    new_topic 4
    ours=$topic
    new_topic 4
    seq 1 100 | "$mqc" send -t "$ours" -g red --batch 32 --json "${security[@]}" >sent
    "$peer" consume "$ours" "$(unique group)" 100 --timeout 60 \
        -- send "$topic" 50 --batch --tag green --property shop=berlin >java
    jq -c 'select(.topic)' java >came
    same "ids of ours" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "their places" "$(jq -r '[.queueId, .queueOffset] | join("/")' came | sort)" \
        "$(jq -r '[.queueId, .queueOffset] | join("/")' sent | sort)"
    same "bodies of ours" "$(bodies came)" "$(seq 1 100 | sort)"
    same "tags of ours" "$(jq -r .tags came | sort -u)" red
    jq -c 'select(.status)' java >sent
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 50 --timeout 60 --json "${security[@]}" >came
    same "ids of Java's" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | tr , '\n' | sort)"
    same "bodies of Java's" "$(bodies came)" "$(seq -f 'message %g' 0 49 | sort)"
    same "the rest of Java's" "$(jq -r '[.tags, .properties.shop] | join(",")' came | sort -u)" green,berlin
}

gathered_sends_reach_java()
{
    new_topic 4
    seq 1 500 | "$mqc" send -t "$topic" -g red --async -X autoBatch=yes --json "${security[@]}" >sent
    "$peer" consume "$topic" "$(unique group)" 500 --timeout 60 >came
    same "ids" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "places" "$(jq -r '[.msgId, .queueId, .queueOffset] | join("/")' came | sort)" \
        "$(jq -r '[.msgId, .queueId, .queueOffset] | join("/")' sent | sort)"
    same "bodies" "$(bodies came)" "$(seq 1 500 | sort)"
}

# Both clients put a key into the same queue.
keys_as_java()
{
    local key java=()
    new_topic 7
    for key in order-1 A-42 "$utf8_text" polygenelubricants; do
        "$mqc" send -t "$topic" -o "$key" --json "${security[@]}" x | jq .queueId
        java+=(-- send "$topic" 1 --order-key "$key")
    done >ours
    same "queues of the keys" "$("$peer" "${java[@]:1}" | jq .queueId | xargs)" "$(xargs <ours)"
}

# Each recalls a message of the other's; those that are left come.
timers_both_ways()
{
    new_topic 2
    "$mqc" send -t "$topic" --delay 3s --json "${security[@]}" "ours" >sent
    "$mqc" send -t "$topic" --delay 1h --json "${security[@]}" "ours, recalled" >recalled
    "$peer" recall "$topic" "$(jq -r .recallHandle recalled)" -- send "$topic" 1 --delay-ms 3000 --body "of Java" \
        -- consume "$topic" "$(unique group)" 2 --timeout 60 >java
    same "recalled by Java" "$(head -n 1 java)" "$(jq -r .msgId recalled)"
    sed -n 2p java >>sent
    tail -n +3 java >came
    same "ids at Java's" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 2 --timeout 60 --json "${security[@]}" >came
    same "ids at ours" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "bodies" "$(bodies came)" "$(printf 'of Java\nours')"
}

# Of two brokers one stalls: sends go on at the other, none fails, and when it answers it is used again. A dead one likewise.
bad_broker_is_avoided()
{
    local bad_at
    new_topic 2
    yes line | head -n 100000 >lines || true
    background sender "$mqc" send -t "$topic" -f lines --rate 100 --json -X sendLatencyFaultEnable=yes \
        -X startDetectorEnable=yes -X sendMsgTimeout=20000 -X sendMsgMaxTimeoutPerRequest=500 "${security[@]}"
    await "messages at both" both_brokers_have 0
    "$here/cluster" "$1" "$cluster" 0
    await "sends after that" has_lines "$(($(count_lines sender.out) + 20))" sender.out
    bad_at=$(count_lines sender.out)
    await "100 more" has_lines "$((bad_at + 100))" sender.out
    same "brokers of these" "$(sed -n "$((bad_at + 1)),$((bad_at + 100))p" sender.out | jq -r .brokerName | sort -u)" broker-b
    "$here/cluster" "$2" "$cluster" 0
    await "messages at both again" both_brokers_have "$(count_lines sender.out)"
    same "what failed" "$(grep '^mqc: ' sender.err)" "" # the log may tell of heartbeats that did
    kill "$(<background/sender)"
    rm background/sender
}

# both_brokers_have AFTER: messages that were sent after the first AFTER of them.
both_brokers_have()
{
    (($(tail -n +$(($1 + 1)) sender.out | grep -o '"brokerName": *"broker-[ab]"' | sort -u | wc -l) == 2))
}

# The first broker has started again with an IPv6 address, which it registers as Java does, without brackets.
broker_at_ipv6()
{
    new_topic 2
    same "its address" "$("$mqc" topic route -t "$topic" --json "${security[@]}" |
        jq -r 'select(.brokerName == "broker-a") | .masterAddress')" "[::1]:${BROKER_ADDR##*:}"
    seq 1 20 | "$mqc" send -t "$topic" --json "${security[@]}" >sent
    same "brokers" "$(jq -r .brokerName sent | sort -u | xargs)" "broker-a broker-b"
    "$peer" consume "$topic" "$(unique group)" 20 --timeout 60 -- send "$topic" 4 >java
    same "ids at Java's" "$(jq -r 'select(.topic) | .msgId' java | sort)" "$(jq -r .msgId sent | sort)"
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 24 --timeout 60 --json "${security[@]}" >came
    same "ids at ours" "$(jq -r .msgId came | sort)" "$(jq -r 'select(.status or .sendStatus) | .msgId' sent java | sort)"
}
