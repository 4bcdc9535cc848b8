# Sourced by "cluster": starts, signals and recognises the processes of the cluster in $run, and waits for conditions.
# A process is named after its home, $run/NAME.

readonly wait_seconds=${MQC_BROKER_TIMEOUT:-120}

# java_options HOME HEAP [CLASSES:]: sets java, and java_arguments up to the class name, for any RocketMQ program of this cluster.
java_options()
{
    java=$(find_java)
    java_arguments=(
        -Xmx"$2" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxDirectMemorySize=512m ${MQC_BROKER_JAVA_OPTIONS:-}
        --add-exports java.base/jdk.internal.ref=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED
        --add-exports java.base/sun.nio.ch=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED
        -Duser.home="$1" -Drocketmq.home.dir="$1" -Drmq.logback.configurationFile="$1/conf/logback.xml"
        -Drocketmq.broker.diskSpaceWarningLevelRatio=0.98 -Drocketmq.broker.diskSpaceCleanForciblyRatio=0.97
        -cp "${3:-}$(jars_folder "$version")/*"
    )
    if [[ $mode == tls ]]; then
        java_arguments+=(-Dtls.enable=true -Dtls.server.mode=enforcing -Dtls.config.file="$run/tls/tls.properties")
    fi
}

# start_process NAME CLASS HEAP: its own session, so that it does not end with the shell.
start_process()
{
    local home=$run/$1
    java_options "$home" "$3"
    [[ ! -f $home/output.log ]] || mv "$home/output.log" "$home/output.previous.log"
    ROCKETMQ_HOME=$home setsid "$java" "${java_arguments[@]}" "$2" -c "$home/conf/process.conf" \
        >"$home/output.log" 2>&1 </dev/null &
    echo "$!" >"$home/pid"
    # Until it has become java its command line is still this shell's, and it would count as gone.
    while ! process_alive "$1" && grep -qs '^State:[[:space:]]*[^Z]' "/proc/$!/status"; do :; done
}

# A pid may have been given to another process since; ours has its home on its command line. A zombie has none; neither
# has, for a moment, a process that is just becoming another program.
process_alive()
{
    local home=$run/$1 pid command_line
    [[ -f $home/pid ]] || return 1
    pid=$(<"$home/pid")
    command_line=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline") || return 1
    if [[ -z $command_line ]]; then
        grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"
    else
        grep -qxF -- "-Duser.home=$home" <<<"$command_line"
    fi
}

any_alive()
{
    local home
    for home in "$run"/*/; do
        if process_alive "$(basename "$home")"; then
            return 0
        fi
    done
    return 1
}

signal_process()
{
    process_alive "$2" || fail "$2 is not running"
    kill "-$1" "$(<"$run/$2/pid")"
}

kill_process()
{
    signal_process KILL "$1"
    wait_until "" process_gone "$1"
}

stop_process()
{
    signal_process TERM "$1"
    wait_until "" process_gone "$1"
}

pause_process()
{
    signal_process STOP "$1"
}

resume_process()
{
    signal_process CONT "$1"
}

kill_all()
{
    local home
    for home in "$run"/*/; do
        home=${home%/}
        if process_alive "${home##*/}"; then
            kill_process "${home##*/}"
        fi
    done
}

process_gone()
{
    ! process_alive "$1"
}

# wait_until PROCESS CONDITION...: polls; ends at once when PROCESS (if not empty) is no longer there to fulfil it.
wait_until()
{
    local process=$1 deadline=$((SECONDS + wait_seconds))
    shift
    until "$@"; do
        [[ -z $process ]] || process_alive "$process" || fail "$process has ended; its log is $run/$process/output.log"
        ((SECONDS < deadline)) || fail "waited $wait_seconds s in vain for: ${process:+$process: }$*"
        sleep 0.1
    done
}
