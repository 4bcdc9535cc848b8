# Sourced by "check": the Java client 5.5.0 and the Go client v2 on `mqc embedded` in place of a real cluster.

embedded_process="" go_process=""

suite_embedded()
{
    security=() load_security=()
    start_embedded || return 0
    start_go
    step "embedded: Java sends with tags, keys, properties, UTF-8, zlib, lz4 and zstd; we consume" java_sends
    step "embedded: we send; Java consumes" java_consumes
    step "embedded: Java and we share a group" java_shares_a_group
    step "embedded: what Java refuses comes again to it" java_refuses
    step "embedded: what we refuse comes again to Java" java_gets_what_we_refuse
    step "embedded: mqadmin's commands find what they ask for" mqadmin_on_embedded
    [[ -z $go_process ]] || step "embedded: Go sends singly and in a batch, consumes by tag, and what it refuses comes again" go_is_content
    stop_embedded
}

start_embedded()
{
    local tries=0
    "$mqc" embedded >"$work/embedded.out" 2>"$work/embedded.err" &
    embedded_process=$!
    until [[ -s $work/embedded.out ]]; do
        if ((++tries > 10 * wait_seconds)) || ! kill -0 "$embedded_process" 2>/dev/null; then
            failed=$((failed + 1))
            echo "FAILED mqc embedded starts"
            return 1
        fi
        sleep 0.1
    done
    NAMESRV_ADDR=$(head -n 1 "$work/embedded.out")
    export NAMESRV_ADDR
    echo "--     mqc embedded: $NAMESRV_ADDR"
}

# Most of its 20 s are its own waiting: it runs beside the steps, and the last of them looks at what became of it.
start_go()
{
    [[ "go_is_content embedded: Go" =~ ${MQC_BROKER_STEPS:-} ]] || return 0
    command -v go >/dev/null || {
        echo "--     no go here: the Go client is not tried"
        return 0
    }
    set -m
    (
        status=0
        cd "$here/../interop/go" && go build -o "$work/go-peer" . && "$work/go-peer" "$NAMESRV_ADDR" go-topic 5 || status=$?
        echo "$status" >"$work/go.code"
    ) >"$work/go.out" 2>&1 </dev/null &
    go_process=$!
    set +m
}

go_is_content()
{
    await "the end of the Go client" test -s "$work/go.code"
    cat "$work/go.out"
    same "exit code of the Go client" "$(<"$work/go.code")" 0
}

stop_embedded()
{
    [[ -z $go_process ]] || kill -- "-$go_process" 2>/dev/null || true
    go_process=""
    [[ -n $embedded_process ]] || return 0
    kill "$embedded_process" 2>/dev/null || true
    wait "$embedded_process" 2>/dev/null || true
    embedded_process=""
    unset NAMESRV_ADDR
}

# Each of ten messages is refused once and comes again, with its count.
java_refuses()
{
    new_topic 2
    "$peer" send "$topic" 10 --tag a --utf8 >sent
    "$peer" consume "$topic" "$(unique group)" 20 --refuse --timeout "$wait_seconds" >came
    same "the first time" "$(jq -r 'select(.reconsumeTimes == 0) | .msgId' came | sort)" "$(jq -r .msgId sent | sort)"
    same "the second time" "$(jq -r 'select(.reconsumeTimes == 1) | .msgId' came | sort)" "$(jq -r .msgId sent | sort)"
}

# RocketMQ's own tool of 5.5.0, command by command. It exits with 0 whatever happens: what it prints is looked at.
mqadmin_on_embedded()
{
    local broker command
    broker=$(sed -n 's/^broker-a //p' "$work/embedded.out")
    new_topic 2
    group=$(unique group)
    "$mqc" send -t "$topic" -k findme hello >/dev/null
    background java "$peer" consume "$topic" "$group" 100000 --timeout 300
    await "a Java member" grep -q consuming java.err
    (. "$here/jars.sh" && fetch_jars 5.5.0 && compile_interop 5.5.0) >classes
    await "the offsets of the group" knows_offsets 1 # Java tells them first after 10 s
    start_admin "$PWD" java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Drocketmq.namesrv.addr="$NAMESRV_ADDR" \
        -Drmq.logback.configurationFile="$here/../interop/logback.xml" -cp "$(<classes):$MQC_BUILD/broker/5.5.0/jars/*"
    mv pid background/admin
    shows broker-a clusterList
    shows "$topic" topicList
    shows broker-a topicRoute -t "$topic"
    shows "broker-a" topicStatus -t "$topic"
    shows V5_5_0 brokerStatus -b "$broker"
    shows enableRetryTopicV2 getBrokerConfig -b "$broker"
    shows "update broker config success" updateBrokerConfig -b "$broker" -k enableRetryTopicV2 -v false
    shows "create subscription group" updateSubGroup -b "$broker" -g "$group" -r 3
    shows "$group" consumerConnection -g "$group"
    shows "$topic" consumerProgress -g "$group"
    shows "Rebalance OK" consumerStatus -g "$group"
    shows findme queryMsgByKey -t "$topic" -k findme
    shows "reset\|broker-a" resetOffsetByTime -g "$group" -t "$topic" -s -1
    shows "delete topic" deleteTopic -c DefaultCluster -t "$topic"
    kill "$(<background/admin)"
}

# shows PATTERN COMMAND...: what mqadmin prints has the pattern.
shows()
{
    local pattern=$1
    shift
    ask_admin "$PWD" "$@" >admin.out || fails "mqadmin has ended: see kept.log"
    grep -q -- "$pattern" admin.out || {
        tail -n 20 admin.out
        fails "mqadmin $*: no \"$pattern\""
    }
    echo "mqadmin $1: yes"
}
