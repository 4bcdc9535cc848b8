# Sourced by "check": how a step is run and judged, and what all suites do with processes and files.
#
# A step is a function that prints what it sees and returns, or exits, with 0 when all was as the
# step's name says. It runs in a subshell with errexit and a process group of its own, which is killed
# after it, whatever happened and whatever it has left running.

passed=0 failed=0 steps=0 step_process=""

# A step that ends with a line "N passed, M failed", as test/run-suites does, counts as so many tests, else as one.

# step "WHAT IS EXPECTED" FUNCTION [ARGUMENT]...
step()
{
    local name=$1 began=$SECONDS folder status=0 totals good=1 bad=0
    shift
    [[ "$* $name" =~ ${MQC_BROKER_STEPS:-} ]] || return 0
    folder=$work/$((++steps))-$1
    mkdir -p "$folder/background"
    set -m
    (
        set -e
        cd "$folder"
        "$@"
    ) >"$folder/log" 2>&1 </dev/null &
    step_process=$!
    set +m
    wait_for_step "$folder/log" || status=$?
    kill_step
    totals=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$folder/log" | tail -n 1) || totals=""
    if [[ $totals =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        good=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
        sed 's/^/    /' "$folder/log"
    fi
    if ((status != 0 && bad == 0)); then
        good=$((good - 1)) bad=1
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    if ((bad == 0)); then
        echo "ok     $name ($((SECONDS - began)) s)"
    else
        echo "FAILED $name ($((SECONDS - began)) s): the last lines of $folder/log:"
        tail -n 12 "$folder/log" | sed 's/^/         /'
    fi
}

wait_for_step()
{
    local deadline=$((SECONDS + step_seconds)) status=0
    while kill -0 "$step_process" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            echo "NOT AS EXPECTED: still running after $step_seconds s" >>"$1"
            return 1
        fi
        sleep 0.1
    done
    wait "$step_process" 2>/dev/null || status=$?
    return "$status"
}

# Processes that are told to end by the clusters' scripts are in sessions of their own and stay.
kill_step()
{
    [[ -n $step_process ]] || return 0
    kill -KILL -- "-$step_process" 2>/dev/null || true
    wait "$step_process" 2>/dev/null || true
    step_process=""
}

# ---- judging, inside a step ----

# fails WHY...: ends the step.
fails()
{
    echo "NOT AS EXPECTED: $*"
    exit 1
}

# same WHAT ACTUAL EXPECTED
same()
{
    [[ $2 == "$3" ]] || fails "$1: expected '$3', got '$2'"
    echo "$1: $2"
}

# holds WHAT CONDITION...
holds()
{
    local what=$1
    shift
    "$@" || fails "$what: $*"
    echo "$what"
}

# says FILE PATTERN: some line of the file matches the extended regular expression.
says()
{
    grep -Eiq -- "$2" "$1" || {
        echo "--- $1:"
        tail -n 20 "$1"
        fails "no line of $1 matches: $2"
    }
    grep -Ei -m 1 -- "$2" "$1"
}

# refused PATTERN COMMAND...: exit code 1 and an error that says so, within the time of a few requests.
refused()
{
    local pattern=$1 status=0
    shift
    timeout 60 "$@" >refused.out 2>refused.err || status=$?
    echo "+ $* -> $status"
    cat refused.err
    same "exit code" "$status" 1
    says refused.err "$pattern"
}

# await WHAT CONDITION...: the condition is a command; it is polled, since files and processes cannot be waited for.
await()
{
    local what=$1 deadline=$((SECONDS + wait_seconds))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fails "waited $wait_seconds s in vain for $what"
        sleep 0.1
    done
    echo "$what: yes"
}

# ---- background processes of a step ----

# background NAME COMMAND...: its output goes to NAME.out and NAME.err.
background()
{
    local name=$1
    shift
    "$@" >"$name.out" 2>"$name.err" &
    echo "$!" >"background/$name"
}

is_running()
{
    local state
    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$(<"background/$1")/status" 2>/dev/null) || return 1
    [[ -n $state && $state != Z ]]
}

has_ended()
{
    ! is_running "$1"
}

# await_end NAME: waits for the process and requires exit code 0.
await_end()
{
    local status=0
    await "the end of $1" has_ended "$1"
    wait "$(<"background/$1")" || status=$?
    rm "background/$1"
    ((status == 0)) || tail -n 5 "$1.err"
    same "exit code of $1" "$status" 0
}

# end NAME...: SIGTERM, and each must end in good order.
end()
{
    local name
    for name; do kill "$(<"background/$name")"; done
    for name; do await_end "$name"; done
}

# ---- clusters ----

# start_cluster NAME OPTION...: starts it and takes its addresses into the environment; false when it does not start.
start_cluster()
{
    local name=$1 variable began=$SECONDS
    shift
    for variable in ${cluster_variables:-}; do unset "$variable"; done
    clusters+=("$name")
    if ! "$here/cluster" start "$name" "$@" >"$work/cluster-$name.log" 2>&1; then
        failed=$((failed + 1))
        echo "FAILED a cluster starts: cluster start $name $*"
        tail -n 20 "$work/cluster-$name.log" | sed 's/^/         /'
        return 1
    fi
    "$here/cluster" env "$name" >"$work/cluster-$name.env"
    cluster_variables=$(sed 's/=.*//' "$work/cluster-$name.env")
    set -a
    # shellcheck disable=SC1090 # written just now
    . "$work/cluster-$name.env"
    set +a
    cluster=$name
    echo "--     cluster $name: RocketMQ $ROCKETMQ_VERSION $* ($((SECONDS - began)) s)"
}

stop_cluster()
{
    local failed_before=$1
    if ((failed > failed_before)); then
        "$here/cluster" logs "$cluster" >"$work/cluster-$cluster.output" 2>&1 || true
        echo "--     the cluster's logs: $work/cluster-$cluster.output"
    fi
    "$here/cluster" stop "$cluster"
}

stop_all()
{
    local name
    for name in ${clusters[@]+"${clusters[@]}"}; do
        "$here/cluster" stop "$name" >/dev/null 2>&1 || true
    done
}

# unique WHAT: a name that no earlier step has used.
unique()
{
    echo "$1-$BASHPID-$RANDOM"
}

# new_topic QUEUES: creates it and puts its name into $topic.
new_topic()
{
    topic=$(unique topic)
    "$mqc" topic create -t "$topic" --read-queues "$1" --write-queues "$1" "${security[@]}"
}

count_lines()
{
    cat "$@" | wc -l
}

# has_lines COUNT FILE...: at least so many, together.
has_lines()
{
    local count=$1
    shift
    (($(count_lines "$@") >= count))
}
