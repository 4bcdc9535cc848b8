# Sourced by "cluster": writes the configuration of the processes of one cluster. Everything of a process is under its
# home, $run/namesrv or $run/broker-X: conf, store, and output.log, which all of its logging goes to.

readonly access_key=mqc-admin secret_key=mqc-admin-secret

write_name_server_configuration()
{
    local home=$run/namesrv
    write_logging_configuration "$home"
    cat >"$home/conf/process.conf" <<END
bindAddress=127.0.0.1
listenPort=$name_server_port
kvConfigPath=$home/kvConfig.json
END
}

# write_broker_configuration INDEX [key=value...]; of a key given twice, Java's Properties take the last.
# Waiting in the send queue is generous so that a slow machine does not turn into broker-busy answers.
# The wheel of timers, 38 MB, is flushed seldom: each second it takes a third of a core. The other two intervals and the size
# keep threads of 5.5.0 from turning without a wait: TransactionFlushService for as long as its interval is after a start,
# TransactionalOpBatchService from the first transaction on. At that size what has ended is written at once.
write_broker_configuration()
{
    local index=$1 home
    home=$run/$(process_name "$index")
    shift
    write_logging_configuration "$home"
    {
        cat <<END
brokerClusterName=$cluster_name
brokerName=$(broker_name "$index")
brokerId=0
brokerRole=ASYNC_MASTER
brokerIP1=127.0.0.1
brokerIP2=127.0.0.1
bindAddress=127.0.0.1
listenPort=${broker_ports[index]}
haListenPort=$((broker_ports[index] + 1))
namesrvAddr=$(name_server_address)
storePathRootDir=$home/store
storePathCommitLog=$home/store/commitlog
registerNameServerPeriod=10000
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
enablePropertyFilter=true
recallMessageEnable=true
transactionCheckInterval=1000
transactionTimeOut=2000
transactionOpBatchInterval=3600000
transactionOpMsgMaxSize=1
transactionMetricFlushInterval=1000
timerFlushIntervalMs=10000
waitTimeMillsInSendQueue=10000
sendThreadPoolQueueCapacity=100000
osPageCacheBusyTimeOutMills=10000
mappedFileSizeCommitLog=52428800
mappedFileSizeConsumeQueue=400000
mappedFileSizeTimerLog=10485760
maxHashSlotNum=50000
maxIndexNum=200000
flushDiskType=ASYNC_FLUSH
diskMaxUsedSpaceRatio=95
END
        [[ $mode != acl ]] || print_acl_configuration "$home"
        (($# == 0)) || printf '%s\n' "$@"
        (($(broker_id "$index") == 0)) || printf '%s\n' "brokerId=$(broker_id "$index")" brokerRole=SLAVE
    } >"$home/conf/process.conf"
}

# Only brokers ask for signatures, name servers do not. 4.9.7 has ACL 1.0, with its accounts in a file.
print_acl_configuration()
{
    if [[ $version == 4.* ]]; then
        printf 'accounts:\n- accessKey: %s\n  secretKey: %s\n  admin: true\n' "$access_key" "$secret_key" \
            >"$1/conf/plain_acl.yml"
        echo aclEnable=true
    else
        print_acl_2_configuration "$1"
    fi
}

# ACL 2.0: org.apache.rocketmq.auth.config.AuthConfig. The inner client is the broker's own, which it signs for.
print_acl_2_configuration()
{
    local auth=org.apache.rocketmq.auth
    cat <<END
authConfigPath=$1/auth
authenticationEnabled=true
authenticationProvider=$auth.authentication.provider.DefaultAuthenticationProvider
authenticationMetadataProvider=$auth.authentication.provider.LocalAuthenticationMetadataProvider
initAuthenticationUser={"username":"$access_key","password":"$secret_key"}
innerClientAuthenticationCredentials={"accessKey":"$access_key","secretKey":"$secret_key"}
authorizationEnabled=true
authorizationProvider=$auth.authorization.provider.DefaultAuthorizationProvider
authorizationMetadataProvider=$auth.authorization.provider.LocalAuthorizationMetadataProvider
END
}

# 4.9.7 takes its logging from three names in ROCKETMQ_HOME/conf, 5.5.0 from -Drmq.logback.configurationFile.
write_logging_configuration()
{
    local home=$1 appender=${2:-'<appender name="output" class="ch.qos.logback.core.ConsoleAppender">'} name
    mkdir -p "$home/conf"
    cat >"$home/conf/logback.xml" <<END
<configuration>
  $appender
    <encoder><pattern>%d{HH:mm:ss.SSS} %p %t %c - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="output"/></root>
</configuration>
END
    for name in namesrv broker tools; do
        ln -s logback.xml "$home/conf/logback_$name.xml"
    done
}

# mqadmin logs to a file, so that what it prints is its answer; tools.yml is what it signs with.
write_admin_configuration()
{
    local home=$run/admin
    write_logging_configuration "$home" \
        "<appender name=\"output\" class=\"ch.qos.logback.core.FileAppender\"><file>$home/output.log</file>"
    if [[ $mode == acl ]]; then
        printf 'accessKey: %s\nsecretKey: %s\n' "$access_key" "$secret_key" >"$home/conf/tools.yml"
    fi
}
