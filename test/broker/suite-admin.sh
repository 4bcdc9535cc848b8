# Sourced by "check": our tool beside RocketMQ's own, mqadmin, on the same cluster: the same numbers.

# theirs ARGUMENT...: what mqadmin prints, into the file theirs; again when it gave up too soon on a busy machine.
theirs()
{
    await "mqadmin $1" has_their_answer "$@"
    cat theirs
}

has_their_answer()
{
    mqadmin "$@" >theirs 2>&1
    ! grep -Eq 'TimeoutException|Exception.*timeout' theirs
}

# rows_of FILE COLUMN...: of the rows of mqadmin's table that begin with $topic, these columns.
rows_of()
{
    local file=$1
    shift
    awk -v topic="$topic" -v list="$*" '$1 == topic { n = split(list, c, " "); s = ""
        for (i = 1; i <= n; i++) s = s (i > 1 ? "," : "") $(c[i]); print s }' "$file" | sort
}

# A topic with 40 messages in four queues, of which a group has committed those that it got.
prepare_a_group()
{
    new_topic 4
    group=$(unique group)
    "$load" send "$topic" 40 sync job "${load_security[@]}" >sent
    "$mqc" consume -t "$topic" -g "$group" --from first --count 40 --timeout 60 -q "${security[@]}"
    "$load" send "$topic" 7 sync late "${load_security[@]}" >>sent
    await "47 messages in their queues" holds_messages 47
}

holds_messages()
{
    (($("$mqc" topic status -t "$topic" --json "${security[@]}" | jq .messages) == $1))
}

tools_agree_on_a_topic()
{
    prepare_a_group
    theirs topicStatus -t "$topic"
    "$mqc" topic status -t "$topic" --json "${security[@]}" >ours
    cat ours
    same "offsets" "$(jq -r '.queues[] | [.brokerName, .queueId, .minOffset, .maxOffset] | join(",")' ours | sort)" \
        "$(awk '$1 !~ /^#/ && NF >= 5 { print $1 "," $2 "," $3 "," $4 }' theirs | sort)"
    theirs topicRoute -t "$topic"
    "$mqc" topic route -t "$topic" --json "${security[@]}" >ours
    same "route" "$(jq -r '[.brokerName, .masterAddress, .readQueues, .writeQueues] | join(",")' ours)" \
        "$(sed 's/^\([ \t{]*\)\([0-9][0-9]*\):/\1"\2":/' theirs | jq -r '[.brokerDatas[0].brokerName,
            .brokerDatas[0].brokerAddrs["0"], .queueDatas[0].readQueueNums, .queueDatas[0].writeQueueNums] | join(",")')"
    theirs topicList
    "$mqc" topic list "${security[@]}" >ours
    same "topics" "$(sort ours)" "$(sort theirs | sed '/^$/d')"
}

tools_agree_on_a_group()
{
    prepare_a_group
    theirs consumerProgress -g "$group"
    "$mqc" group progress -g "$group" --json "${security[@]}" >ours
    cat ours
    same "progress" "$(jq -r --arg topic "$topic" '.queues[] | select(.topic == $topic)
        | [.brokerName, .queueId, .brokerOffset, .consumerOffset, .lag, .inflight] | join(",")' ours | sort)" \
        "$(rows_of theirs 2 3 4 5 6 7)"
    same "lag" "$(jq .lag ours)" "$(sed -n 's/^Consume Diff Total: //p' theirs)"
    same "in flight" "$(jq .inflight ours)" "$(sed -n 's/^Consume Inflight Total: //p' theirs)"
    theirs getConsumerConfig -g "$group"
    "$mqc" group config -g "$group" --json "${security[@]}" >ours
    same "retries" "$(jq .retryMaxTimes ours)" "$(awk '$1 == "retryMaxTimes" { print $NF }' theirs)"
    same "retry queues" "$(jq .retryQueues ours)" "$(awk '$1 == "retryQueueNums" { print $NF }' theirs)"
}

tools_agree_on_members()
{
    new_topic 4
    group=$(unique group)
    consume_as member
    await_shared member
    theirs consumerConnection -g "$group"
    "$mqc" group members -g "$group" --json "${security[@]}" >ours
    cat ours
    same "member" "$(jq -r '.members[] | [.clientId, .address, .language, .version] | join(",")' ours)" \
        "$(awk '/^#ClientId/ { getline; print $1 "," $2 "," $3 "," $4 }' theirs)"
    await "offsets of all queues" knows_offsets 4
    same "type and model" "$(jq -r '[.consumeType, .messageModel, .consumeFromWhere] | join(",")' ours)" \
        "$(sed -n 's/^ConsumeType: //p; s/^MessageModel: //p; s/^ConsumeFromWhere: //p' theirs | paste -sd,)"
    theirs consumerProgress -g "$group" -s true
    "$mqc" group progress -g "$group" --owners --json "${security[@]}" >ours
    same "owners" "$(jq -r --arg topic "$topic" '.queues[] | select(.topic == $topic)
        | [.queueId, (.clientId | split("@")[0])] | join(",")' ours | sort)" "$(rows_of theirs 3 6)"
    end member
}

# knows_offsets QUEUES: the group has stored something of at least so many of the topic's queues.
knows_offsets()
{
    (($("$mqc" group progress -g "$group" --json "${security[@]}" 2>/dev/null |
        jq --arg topic "$topic" '[.queues[] | select(.topic == $topic)] | length') >= $1))
}

tools_agree_on_messages()
{
    local id
    new_topic 1
    "$mqc" send -t "$topic" -k "k1 k2" -g red --json "${security[@]}" "the body" >sent
    id=$(jq -r .msgId sent)
    await "the message by its key" finds_key k2
    "$mqc" message get -t "$topic" -i "$id" --json "${security[@]}" >ours
    theirs queryMsgByUniqueKey -t "$topic" -i "$id"
    cat ours
    same "by unique id" "$(jq -r '[.tags, .keys, .queueId, .queueOffset, .reconsumeTimes, .bornHost, .storeHost] | join(",")' ours)" \
        "$(field_of Tags),$(field_of Keys),$(field_of "Queue ID"),$(field_of "Queue Offset"),$(field_of "Reconsume Times"),$(field_of "Born Host"),$(field_of "Store Host")"
    theirs queryMsgById -t "$topic" -i "$(jq -r .offsetMsgId ours)"
    same "by offset id" "$("$mqc" message get -i "$(jq -r .offsetMsgId ours)" --json "${security[@]}" | jq -r .offsetMsgId)" \
        "$(field_of OffsetID)"
    theirs queryMsgByKey -t "$topic" -k k2
    says theirs "$id"
}

finds_key()
{
    [[ $("$mqc" message find -t "$topic" -k "$1" --json "${security[@]}") == *body* ]]
}

# field_of NAME: from mqadmin's lines "Name:   value", brackets taken off.
field_of()
{
    sed -n "s/^$1: *//p" theirs | head -n 1 | sed 's/^\[\(.*\)\]$/\1/'
}

tools_agree_on_the_cluster()
{
    theirs clusterList
    "$mqc" cluster list --json "${security[@]}" >ours
    cat ours
    same "brokers" "$(jq -r '[.cluster, .brokerName, .brokerId, .address, .version] | join(",")' ours)" \
        "$(awk '$1 !~ /^#/ && NF > 5 { print $1 "," $2 "," $3 "," $4 "," $5 }' theirs)"
    theirs clusterList -m
    same "messages today" "$("$mqc" cluster list --json "${security[@]}" | jq -r '[.putToday, .getToday] | join(",")')" \
        "$(awk '$1 !~ /^#/ && NF == 6 { print $5 "," $6 }' theirs)"
    theirs getBrokerConfig -b "$BROKER_ADDR"
    "$mqc" broker config -b "$BROKER_ADDR" --json "${security[@]}" >ours
    same "settings of the broker" "$(jq -r 'to_entries[] | "\(.key)=\(.value)"' ours | settings_only)" \
        "$(sed -n 's/^\([A-Za-z][A-Za-z0-9._-]*\) *= */\1=/p' theirs | settings_only)"
    theirs getNamesrvConfig -n "$NAMESRV_ADDR"
    "$mqc" namesrv config --json "${security[@]}" >ours
    same "settings of the name server" "$(jq -r 'to_entries[] | "\(.key)=\(.value)"' ours | settings_only)" \
        "$(sed -n 's/^\([A-Za-z][A-Za-z0-9._-]*\) *= */\1=/p' theirs | settings_only)"
}

# A few that mean the same in both spellings.
settings_only()
{
    grep -E '^(brokerName|listenPort|storePathRootDir|recallMessageEnable|rocketmqHome|kvConfigPath)=' |
        sed 's/ *$//' | sort
}

# What we change they see, and the other way round.
tools_see_each_others_changes()
{
    prepare_a_group
    "$mqc" group reset -g "$group" -t "$topic" --to 1h --json "${security[@]}" | jq -s 'length' >ours
    same "queues that were reset" "$(cat ours)" 4
    theirs consumerProgress -g "$group"
    same "lag after our reset" "$(sed -n 's/^Consume Diff Total: //p' theirs)" 47
    theirs resetOffsetByTime -g "$group" -t "$topic" -s -1
    same "lag after theirs" "$("$mqc" group progress -g "$group" --json "${security[@]}" | jq .lag)" 0
    "$mqc" group clone --from "$group" --to "$group-clone" "${security[@]}"
    theirs consumerProgress -g "$group-clone" -t "$topic"
    same "offsets cloned by us" "$(rows_of theirs 5 | paste -sd+ | bc)" 47
    "$mqc" group create -g "$group-new" --retries 5 "${security[@]}"
    theirs getConsumerConfig -g "$group-new"
    same "retries set by us" "$(awk '$1 == "retryMaxTimes" { print $NF }' theirs)" 5
    theirs updateKvConfig -s suite -k name -v value
    same "a key put by them" "$("$mqc" namesrv kv-get -s suite name "${security[@]}")" value
    theirs updateTopic -c "$CLUSTER_NAME" -t "$topic" -r 6 -w 6
    "$mqc" topic update -t "$topic" --permission read "${security[@]}"
    same "queues set by them, permission by us" \
        "$("$mqc" topic config -t "$topic" --json "${security[@]}" | jq -r '[.readQueues, .writeQueues, .permission] | join(",")')" \
        "6,6,read"
}
