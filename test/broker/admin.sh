# Sourced by "cluster" and "check": mqadmin in a JVM that is kept (test/interop/Admin.java).

# start_admin HOME JAVA-AND-OPTIONS...: in a session of its own; HOME/pid and HOME/port say where it is.
start_admin()
{
    local home=$1 deadline=$((SECONDS + 60))
    shift
    rm -f "$home/port"
    setsid "$@" Admin "$home/port" >"$home/kept.log" 2>&1 </dev/null &
    echo "$!" >"$home/pid"
    until [[ -s $home/port ]]; do
        if ((SECONDS >= deadline)) || ! kill -0 "$!" 2>/dev/null; then
            cat "$home/kept.log" >&2
            return 1
        fi
        sleep 0.05
    done
}

# ask_admin HOME ARGUMENT...: prints what mqadmin prints; false when it is not there.
ask_admin()
{
    local port=$1/port answer
    shift
    [[ -s $port ]] && { exec {answer}<>"/dev/tcp/127.0.0.1/$(<"$port")"; } 2>/dev/null || return 1
    printf '%s\0' "$@" "" >&"$answer"
    cat <&"$answer"
    exec {answer}>&-
}
