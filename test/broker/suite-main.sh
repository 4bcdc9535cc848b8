# Sourced by "check": the main job. Messages are sent in the three ways and consumed by processes that share a group;
# members come and go, the broker is killed, the name server is down. "load" checks each message's content itself.

# ---- sending and consuming ----

consume_as()
{
    background "$1" "$load" consume "$topic" "$group" "${load_security[@]}" "${@:2}"
}

# await_shared CONSUMER...: sends one message to each queue, again and again, until each consumer gets as many as the
# others: then the group is stable.
await_shared()
{
    await "a group that shares ($*)" is_shared "$@"
}

is_shared()
{
    local queues consumer prefix
    prefix=$(unique probe)
    queues=$("$load" probe "$topic" "$prefix" "${load_security[@]}") || return 1
    await "the probes $prefix" probes_came "$prefix" "$queues" "$@"
    for consumer; do
        (($(probes_of "$prefix" "$consumer") == queues / $#)) || return 1
    done
}

probes_came()
{
    local prefix=$1 queues=$2 came=0 consumer
    shift 2
    for consumer; do came=$((came + $(probes_of "$prefix" "$consumer"))); done
    ((came >= queues))
}

probes_of()
{
    grep -c "^$1-" "$2.out" || true
}

# keys_of PREFIX CONSUMER...: the keys of all messages that came, sorted, as often as they came.
keys_of()
{
    local prefix=$1 consumer
    shift
    for consumer; do sed -n "s/^\($prefix-[0-9]*\) .*/\1/p" "$consumer.out"; done | sort
}

# came PREFIX COUNT CONSUMER...: at least so many different ones.
came()
{
    local prefix=$1 count=$2
    shift 2
    (($(keys_of "$prefix" "$@" | uniq | wc -l) >= count))
}

no_bad_content()
{
    local consumer
    for consumer; do
        ! grep -m 1 BAD "$consumer.out" || fails "$consumer got a message whose content is not what was sent"
    done
}

# none_lost PREFIX SENT CONSUMER...: every key in the file SENT came.
none_lost()
{
    local prefix=$1 sent=$2 lost
    shift 2
    keys_of "$prefix" "$@" | uniq >"$prefix.came"
    lost=$(sort "$sent" | comm -23 - "$prefix.came" | wc -l)
    same "messages acknowledged and never consumed, of $(count_lines "$sent")" "$lost" 0
    no_bad_content "$@"
}

# The main job: two processes of one group, $2 messages of mode $1, each consumed exactly once.
send_and_share()
{
    local mode=$1 count=$2 prefix=job
    new_topic 4
    group=$(unique group)
    consume_as first
    consume_as second
    await_shared first second
    "$load" send "$topic" "$count" "$mode" "$prefix" "${load_security[@]}" >sent 2>sent.err
    same "acknowledged" "$(count_lines sent)" "$count"
    same "failed sends" "$(count_lines sent.err)" 0
    await "all $count" came "$prefix" "$count" first second
    end first second
    keys_of "$prefix" first second >came
    same "consumed" "$(count_lines came)" "$count"
    same "consumed twice" "$(uniq -d came | wc -l)" 0
    same "different from what was sent" "$(sort sent | comm -3 - came | wc -l)" 0
    same "consumed by the first" "$(keys_of "$prefix" first | wc -l)" "$((count / 2))"
    no_bad_content first second
}

# A group without a stable membership may get a message twice, but must get all.
third_joins_and_leaves()
{
    local count=$1
    new_topic 6
    group=$(unique group)
    consume_as first
    consume_as second
    await_shared first second
    background sender "$load" send "$topic" "$count" sync job "${load_security[@]}"
    await "a fifth of it" has_lines "$((count / 5))" sender.out
    consume_as third
    await "the third gets some" has_lines 100 third.out
    end third
    await_end sender
    await "all $count" came job "$count" first second third
    end first second
    none_lost job sender.out first second third
}

# A member that dies without a word: its queues go to the other, with what it had not committed.
member_killed()
{
    local count=$1
    new_topic 4
    group=$(unique group)
    consume_as stays
    consume_as dies
    await_shared stays dies
    background sender "$load" send "$topic" "$count" sync job "${load_security[@]}"
    await "some for the one that dies" has_lines "$((count / 10))" dies.out
    kill -KILL "$(<background/dies)"
    await_end sender
    await "all $count" came job "$count" stays dies
    await_shared stays
    end stays
    none_lost job sender.out stays dies
}

# The last of a group leaves with messages unread; the next one goes on where it was.
restart_of_the_group()
{
    local count=$1
    new_topic 4
    group=$(unique group)
    consume_as before
    background sender "$load" send "$topic" "$count" async job "${load_security[@]}"
    await "the first messages" has_lines 100 before.out
    end before
    await_end sender
    "$load" send "$topic" 100 sync later "${load_security[@]}" >later
    consume_as after
    await "all $count" came job "$count" before after
    await "the later ones" came later 100 after
    end after
    none_lost job sender.out before after
    none_lost later later after
    same "consumed twice" "$(keys_of job before after | uniq -d | wc -l)" 0
}

# ---- a broker that is killed ----

# At $1 in the sender's mode: until the broker is back, sends fail; nothing that was acknowledged may be lost.
broker_killed()
{
    local mode=$1 acknowledged
    new_topic 4
    group=$(unique group)
    consume_as first
    consume_as second
    await_shared first second
    background sender "$load" send "$topic" 0 "$mode" job "${load_security[@]}"
    await "the first messages" has_lines 1000 sender.out
    "$here/cluster" kill-broker "$cluster"
    await "a failed send" has_lines 1 sender.err
    "$here/cluster" start-broker "$cluster"
    acknowledged=$(count_lines sender.out)
    await "new acknowledgements" has_lines "$((acknowledged + 1000))" sender.out
    end sender
    says sender.err "^failed .*: (MQC_NO_CONNECTION|MQC_TIMEOUT|MQC_NO_ROUTE|MQC_REFUSED): .+"
    await "all acknowledged" came job "$(count_lines sender.out)" first second
    end first second
    none_lost job sender.out first second
}

# ---- a master and its slave ----

# A program of the contract that takes brokers down or changes how they are.
cluster_contract()
{
    export MQC_CONTRACT_CLUSTER=$cluster MQC_CONTRACT_CLUSTER_TOOL=$here/cluster
    run_contract "$MQC_BUILD/test/contract/check_$1"
}

# With the master gone both tools ask the slave, and both the master when it is back.
lag_at_the_slave()
{
    new_topic 4
    group=$(unique group)
    "$load" send "$topic" 100 sync job "${load_security[@]}" >sent
    "$mqc" consume -t "$topic" -g "$group" --from first --count 10 --timeout 60 "${security[@]}" >with_master
    await "a slave that knows the topic, which it asks for every 10 s" slave_knows
    "$here/cluster" kill-broker "$cluster" 0
    "$mqc" consume -t "$topic" -g "$group" --from first --count 40 --timeout 60 "${security[@]}" >with_slave
    await "mqadmin's word at the slave" mqadmin_tells_a_lag
    same "lag at the slave" "$(lag_of_ours)" "$(<lag)"
    "$here/cluster" start-broker "$cluster" 0
    await "mqadmin's word at the master" mqadmin_tells_a_lag
    same "lag at the master" "$(lag_of_ours)" "$(<lag)"
}

slave_knows()
{
    local addresses
    read -ra addresses <<<"$BROKER_ADDRS"
    "$mqc" topic status -t "$topic" -X brokerAddressMap="${addresses[0]}=${addresses[1]}" "${security[@]}" >/dev/null 2>&1
}

lag_of_ours()
{
    "$mqc" group progress -g "$group" --json "${security[@]}" | jq .lag
}

# On a slow machine it may give up waiting for an answer.
mqadmin_tells_a_lag()
{
    "$here/cluster" mqadmin "$cluster" consumerProgress -g "$group" 2>&1 | sed -n 's/^Consume Diff Total: //p' >lag
    (($(<lag) > 0))
}

# ---- a static topic ----

# Its queues keep their numbers and their group's place when all of them go to one broker.
static_topic()
{
    topic=$(unique topic)
    group=$(unique group)
    await "a static topic" tell_mqadmin updateStaticTopic -t "$topic" -qn 6 -c "$CLUSTER_NAME"
    await "its route" "$mqc" topic route -t "$topic" "${security[@]}"
    consume_as reader
    "$load" send "$topic" 60 sync job "${load_security[@]}" >sent
    await "all 60" came job 60 reader
    "$peer" consume "$topic" "$(unique group)" 60 --timeout 60 >java
    same "queues" "$(jq -r '[.queueId, .queueOffset] | join("/")' java | sort -V | paste -sd' ')" \
        "$(for queue in {0..5}; do for offset in {0..9}; do echo "$queue/$offset"; done; done | paste -sd' ')"
    await "queues that move" tell_mqadmin remappingStaticTopic -t "$topic" -b broker-b
    "$load" send "$topic" 60 sync more "${load_security[@]}" >more
    await "60 more" came more 60 reader
    end reader
    none_lost job sent reader
    none_lost more more reader
    same "consumed twice" "$(keys_of job reader | uniq -d | wc -l),$(keys_of more reader | uniq -d | wc -l)" 0,0
}

tell_mqadmin()
{
    "$here/cluster" mqadmin "$cluster" "$@" >mqadmin.out 2>&1 && grep -q "\.after$" mqadmin.out
}

# ---- a name server that is down ----

# What is known goes on; what is new is refused with a reason, and works when the name server is back.
name_server_down_later()
{
    local count=$1 new_one
    new_topic 4
    group=$(unique group)
    consume_as first
    consume_as second
    await_shared first second
    background sender "$load" send "$topic" 0 sync job "${load_security[@]}"
    await "the first messages" has_lines 100 sender.out
    "$here/cluster" kill-namesrv "$cluster"
    await "$count more" has_lines "$(($(count_lines sender.out) + count))" sender.out
    new_one=$(unique topic)
    refused "connection refused|cannot be reached|no connection" \
        "$mqc" send -t "$new_one" "${security[@]}" hello
    "$here/cluster" start-namesrv "$cluster"
    "$mqc" send -t "$new_one" "${security[@]}" hello
    end sender
    same "failed sends" "$(count_lines sender.err)" 0
    await "all" came job "$(count_lines sender.out)" first second
    end first second
    none_lost job sender.out first second
}

# Clients that start before their name server work as soon as it is there.
name_server_down_at_start()
{
    local count=$1
    new_topic 4
    group=$(unique group)
    "$here/cluster" kill-namesrv "$cluster"
    consume_as reader -X pollNameServerInterval=500
    await "a started consumer" grep -q "^started" reader.err
    background sender "$load" send "$topic" "$count" sync job "${load_security[@]}" -X sendMsgTimeout=1000
    await "a failed send" has_lines 1 sender.err
    says sender.err "^failed .*: (MQC_NO_CONNECTION|MQC_TIMEOUT|MQC_NO_ROUTE): .+"
    "$here/cluster" start-namesrv "$cluster"
    await_end sender
    await "all $count" came job "$count" reader
    end reader
    none_lost job sender.out reader
}

# ---- the tool ----

tool_sends_and_consumes()
{
    local count=$1
    new_topic 4
    seq 1 "$count" | "$mqc" send -q -t "$topic" "${security[@]}"
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count "$count" --timeout 60 "${security[@]}" >plain
    same "bodies" "$(sort -n plain | uniq | tr '\n' ' ' | md5sum)" "$(seq 1 "$count" | tr '\n' ' ' | md5sum)"
    "$mqc" send -t "$topic" -g red -k "k1 k2" -p shop=berlin --json "${security[@]}" "the last" >sent
    "$mqc" consume -t "$topic" -g "$(unique group)" --tag red --from first --count 1 --timeout 60 --json \
        "${security[@]}" >json
    same "the message as JSON" "$(jq -r '[.body, .tags, .keys, .properties.shop, .reconsumeTimes] | join(",")' json)" \
        "the last,red,k1 k2,berlin,0"
    same "its id" "$(jq -r .msgId json)" "$(jq -r .msgId sent)"
    "$mqc" topic list "${security[@]}" >topics
    says topics "^$topic$"
    "$mqc" topic delete -t "$topic" "${security[@]}"
    refused "$topic" "$mqc" topic route -t "$topic" "${security[@]}"
}
