# Sourced by "check": how others see us. The Java client of the same release at the other end, and RocketMQ's own
# tools looking at our clients.

utf8_text=$'gr\u00fc\u00dfe \u6d88\u606f \U0001F680'

# ---- the Java client ----

java_sends()
{
    local compression large=()
    new_topic 2
    for compression in zlib lz4 zstd; do
        large+=(-- send "$topic" 1 --body-size 20000 --compress "$compression" --utf8 --tag "$compression")
    done
    "$peer" send "$topic" 3 --tag red --keys "k1 k2" --property shop=berlin --utf8 "${large[@]}" >sent
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 6 --timeout 60 --json "${security[@]}" >came
    same "ids" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "offsets" "$(jq -r '[.queueId, .queueOffset] | join("/")' came | sort)" \
        "$(jq -r '[.queueId, .queueOffset] | join("/")' sent | sort)"
    same "small ones" "$(jq -r 'select(.tags == "red") | [.keys, .properties.shop, .properties.utf8, .body] | join(",")' \
        came | sort)" "$(printf "k1 k2,berlin,$utf8_text,$utf8_text message %d\n" 0 1 2)"
    for compression in zlib lz4 zstd; do
        same "the body compressed with $compression" \
            "$(jq -r "select(.tags == \"$compression\") | .body" came | md5sum)" \
            "$(java_body "$utf8_text message 0" 20000 | md5sum)"
    done
}

# As Peer.java makes a body of a size: the text again and again. (The last line end is jq's.)
java_body()
{
    local text=$1 size=$2 body=""
    while ((${#body} < size)); do body+="$text "; done
    printf '%s' "$body" | head -c "$size"
    echo
}

java_consumes()
{
    local compression
    new_topic 2
    "$mqc" send -t "$topic" -g red -k "k1 k2" -p shop=berlin -p "utf8=$utf8_text" --json "${security[@]}" \
        "$utf8_text" >sent
    seq -s ' ' 20000 | tr -d '\n' >large
    for compression in zlib lz4 zstd; do
        "$mqc" send -t "$topic" -g "$compression" --compress "${compression^^}" --json "${security[@]}" <large >>sent
    done
    "$peer" consume "$topic" "$(unique group)" 4 --timeout 60 \
        -- consume "$topic" "$(unique group)" 1 --tag red --timeout 60 >java
    head -n 4 java >came
    same "ids" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "the small one" \
        "$(jq -r 'select(.tags == "red") | [.keys, .properties.shop, .properties.utf8, .body] | join(",")' came)" \
        "k1 k2,berlin,$utf8_text,$utf8_text"
    for compression in zlib lz4 zstd; do
        same "the body compressed with $compression" \
            "$(jq -j "select(.tags == \"$compression\") | .body" came | md5sum)" "$(md5sum <large)"
    done
    same "their compression, as Java says" "$(jq -r '[.tags, .sysFlag / 256] | join(" ")' came | sort | paste -sd,)" \
        "lz4 1,red 0,zlib 3,zstd 2"
    same "by tag" "$(tail -n +5 java | jq -r .tags)" red
}

# One group, a Java member and one of ours: they divide the queues in the same way, so that each message comes once.
java_shares_a_group()
{
    local count=400
    new_topic 4
    group=$(unique group)
    consume_as ours
    background java "$peer" consume "$topic" "$group" 100000 --timeout 300
    await "a Java member" grep -q consuming java.err
    await "a shared group" shared_with_java
    "$load" send "$topic" "$count" sync job "${load_security[@]}" >sent
    await "all $count" shared_came "$count"
    same "ours" "$(keys_of job ours | wc -l)" "$((count / 2))"
    same "Java's" "$(java_keys job | wc -l)" "$((count / 2))"
    same "different from what was sent" \
        "$({ keys_of job ours && java_keys job; } | sort | comm -3 - <(sort sent) | wc -l)" 0
    end ours
}

java_keys()
{
    sed -n "s/.*\"keys\":\"\($1-[0-9]*\)\".*/\1/p" java.out
}

shared_with_java()
{
    local prefix queues
    prefix=$(unique probe)
    queues=$("$load" probe "$topic" "$prefix" "${load_security[@]}") || return 1
    await "the probes $prefix" probes_came_to_both "$prefix" "$queues"
    (($(keys_of "$prefix" ours | wc -l) == queues / 2 && $(java_keys "$prefix" | wc -l) == queues / 2))
}

probes_came_to_both()
{
    (($(keys_of "$1" ours | wc -l) + $(java_keys "$1" | wc -l) >= $2))
}

shared_came()
{
    (($(keys_of job ours | wc -l) + $(java_keys job | wc -l) >= $1))
}

# What we refuse, the broker brings again, to a Java member as well, as if Java had refused it.
java_gets_what_we_refuse()
{
    local count=20
    new_topic 1
    group=$(unique group)
    "$load" send "$topic" "$count" sync job "${load_security[@]}" >sent
    background ours "$load" refuse "$topic" "$group" "${load_security[@]}"
    await "all $count" came job "$count" ours
    end ours
    same "refused" "$(grep -c "^job-[0-9]* 0 0 good$" ours.out)" "$count"
    "$peer" consume "$topic" "$group" "$((2 * count - $(count_lines ours.out)))" --timeout 60 >java
    same "together" "$({ sed -n 's/ 0 1 good$//p' ours.out && jq -r .keys java; } | sort | comm -3 - sent | wc -l)" 0
    same "Java's topics and counts" "$(jq -r '[.topic, .reconsumeTimes] | join(",")' java | sort -u)" "$topic,1"
}

# The names on the wire are Java's: each sees what the other sends, and a group is one group.
namespace_is_javas()
{
    local space
    space=$(unique ns)
    topic=$(unique topic)
    group=$(unique group)
    "$mqc" topic create -t "$topic" --read-queues 2 --write-queues 2 -X namespace="$space" "${security[@]}"
    "$mqc" send -t "$topic" -g ours -X namespace="$space" --json "${security[@]}" hello >sent
    NAMESPACE=$space "$peer" send "$topic" 3 --tag java -- consume "$topic" "$group" 4 --timeout 60 >java
    jq -c 'select(.status)' java >>sent
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 4 --timeout 60 --json -X namespace="$space" \
        "${security[@]}" >came
    same "ids" "$(jq -r .msgId came | sort)" "$(jq -r .msgId sent | sort)"
    same "our topics" "$(jq -r .topic came | sort -u)" "$topic"
    same "Java's ids" "$(jq -r 'select(.topic) | .msgId' java | sort)" "$(jq -r .msgId sent | sort)"
    same "Java's topics" "$(jq -r 'select(.topic) | .topic' java | sort -u)" "$topic"
    "$mqc" send -t "$space%$topic" --json "${security[@]}" more >more
    "$mqc" consume -t "$topic" -g "$group" --count 1 --timeout 60 --json -X namespace="$space" "${security[@]}" >rest
    same "what Java's group had not seen" "$(jq -r .body rest)" more
}

# ---- mqadmin ----

mqadmin()
{
    "$here/cluster" mqadmin "$cluster" "$@"
}

mqadmin_sees_the_consumer()
{
    local client
    new_topic 4
    group=$(unique group)
    consume_as member
    await_shared member
    "$load" send "$topic" 40 sync job "${load_security[@]}" >sent
    await "all" came job 40 member
    mqadmin consumerConnection -g "$group" >connections
    cat connections
    client=$(awk '/^#ClientId/ { getline; print $1, $3, $4 }' connections)
    holds "client id, language and version" grep -Eq '^[^ ]+@[^ ]+ (C|CPP|JAVA) V[0-9_]+$' <<<"$client"
    says connections "^$topic +\*"
    says connections "^%RETRY%$group +\*"
    says connections "ConsumeType: CONSUME_PASSIVELY"
    says connections "MessageModel: CLUSTERING"
    says connections "ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET"
}

# The offsets as they are after the five seconds in which they are stored.
mqadmin_sees_the_offsets()
{
    new_topic 4
    group=$(unique group)
    consume_as member
    await_shared member
    "$load" send "$topic" 40 sync job "${load_security[@]}" >sent
    await "all" came job 40 member
    await "stored offsets" offsets_are_stored
    cat progress
    same "queues that mqadmin knows" "$(grep -c "^$topic " progress)" 4
    same "messages in them, by the group's offsets" "$(awk -v topic="$topic" '$1 == topic { sum += $5 } END { print sum }' progress)" \
        "$(count_lines member.out)"
    mqadmin consumerProgress -g "$group" -s true >progress
    same "queues with an owner" "$(awk -v topic="$topic" '$1 == topic && $6 != "N/A"' progress | wc -l)" 4
}

offsets_are_stored()
{
    mqadmin consumerProgress -g "$group" >progress
    # A group that has stored nothing yet lacks nothing, either.
    [[ $(grep -c "^$topic " progress) == 4 ]] && grep -q "Consume Diff Total: 0" progress
}

mqadmin_sees_the_producer()
{
    new_topic 1
    mkfifo lines
    group=$(unique producers)
    exec 7<>lines
    background sender "$mqc" send -t "$topic" -X producerGroup="$group" "${security[@]}" <lines 7>&-
    echo hello >&7
    await "a message sent" has_lines 1 sender.out
    await "the producer in mqadmin's list" producer_is_listed
    cat producers
    exec 7>&-
    await_end sender
}

producer_is_listed()
{
    mqadmin producerConnection -g "$group" -t "$topic" >producers 2>&1
    grep -Eq '^0001 +[^ ]+@[^ ]+ +127\.0\.0\.1:[0-9]+ +(C|CPP|JAVA) +V[0-9_]+' producers
}

# What console and mqadmin show of a message, one that we sent and consumed.
mqadmin_sees_the_trace()
{
    local id
    new_topic 1
    group=$(unique group)
    id=$("$mqc" send -t "$topic" -k traced -X enableMsgTrace=yes -X producerGroup=tracing --json "${security[@]}" hello |
        jq -r .msgId)
    "$mqc" consume -t "$topic" -g "$group" --from first --count 1 --timeout 60 -X enableMsgTrace=yes "${security[@]}"
    await "the trace of $id" trace_is_shown "$id"
    cat trace
}

trace_is_shown()
{
    mqadmin queryMsgTraceById -i "$1" >trace 2>&1
    grep -Eq '^Pub +tracing +127\.0\.0\.1 .* success' trace && grep -Eq "^Sub +$group .* success" trace
}

# What mqadmin shows of a member: settings, queues, rates, and each of its threads.
mqadmin_sees_the_running_info()
{
    local client
    new_topic 2
    group=$(unique group)
    consume_as member
    await_shared member
    "$load" send "$topic" 10 sync job "${load_security[@]}" >sent
    await "all" came job 10 member
    theirs consumerConnection -g "$group" >connections
    client=$(awk '/^#ClientId/ { getline; print $1 }' connections)
    theirs consumerStatus -g "$group" -i "$client" -s >info
    cat info
    says info "^PROP_CONSUME_TYPE +: CONSUME_PASSIVELY$"
    says info "^PROP_CLIENT_VERSION +: V5_5_0$"
    says info "^consumeThreadMax +: 20$"
    says info "^[0-9]+ Topic: $topic +ClassFilter: false +SubExpression: \*$"
    same "queues with their state" "$(grep -Ec "^$topic +broker-a +[01] +ProcessQueueInfo \[commitOffset=[0-9]+, " info)" 2
    same "topics with their rates" "$(grep -Ec "^(%RETRY%$group|$topic) +([0-9.]+ +){5}[0-9]+$" info)" 2
    says info "^stuckQueues +: 0$"
    says info "^mqc-io +TID: [0-9]+ STATE: [A-Z]+$"
    says info "^mqc-consume +at nothing that takes long$"
    theirs consumerStatus -g "$group" >files
    says files "Same subscription in the same group"
    says files "Rebalance OK"
    end member
}

# Both ways: 5.x brokers tell a member with its next pull, older ones and those that are set to, at once.
mqadmin_resets_a_running_group()
{
    local way times=1
    new_topic 4
    group=$(unique group)
    consume_as member
    await_shared member
    "$load" send "$topic" 20 sync job "${load_security[@]}" >sent
    await "all" came job 20 member
    await "stored offsets" offsets_are_stored
    for way in true false; do
        theirs updateBrokerConfig -b "$BROKER_ADDR" -k useServerSideResetOffset -v "$way"
        theirs resetOffsetByTime -g "$group" -t "$topic" -s 0 >reset
        times=$((times + 1))
        await "all for the ${times}th time ($way)" came_times "$times"
    done
    theirs updateBrokerConfig -b "$BROKER_ADDR" -k useServerSideResetOffset -v true
    await "stored offsets" offsets_are_stored
    "$load" send "$topic" 4 sync late "${load_security[@]}" >late
    await "what comes then" came late 4 member
    end member
}

came_times()
{
    (($(grep -c "^job-" member.out) >= 20 * $1))
}

# A group that starts after it was given another one's offsets gets what that one has not had.
mqadmin_clones_offsets()
{
    new_topic 2
    group=$(unique group)
    "$load" send "$topic" 10 sync old "${load_security[@]}" >sent
    "$mqc" consume -t "$topic" -g "$group" --from first --count 10 --timeout 60 -q "${security[@]}"
    "$mqc" group create -g "$group-clone" "${security[@]}"
    theirs cloneGroupOffset -s "$group" -d "$group-clone" -t "$topic"
    "$mqc" send -t "$topic" "${security[@]}" new
    "$mqc" consume -t "$topic" -g "$group-clone" --from first --count 1 --timeout 60 --json "${security[@]}" >came
    same "what comes first" "$(jq -r .body came)" new
}

mqadmin_has_a_message_consumed()
{
    local client id
    new_topic 1
    group=$(unique group)
    consume_as member
    await_shared member
    id=$("$load" send "$topic" 1 sync job "${load_security[@]}" >sent && "$mqc" message find -t "$topic" -k "$(cat sent)" \
        --json "${security[@]}" | jq -r .offsetMsgId)
    await "it" came job 1 member
    theirs consumerConnection -g "$group" >connections
    client=$(awk '/^#ClientId/ { getline; print $1 }' connections)
    theirs queryMsgById -i "$id" -t "$topic" -g "$group" -d "$client" >result
    says result "consumeResult=CR_SUCCESS"
    same "deliveries" "$(grep -c "^job-" member.out)" 2
    end member
}
