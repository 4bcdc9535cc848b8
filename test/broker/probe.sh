# Sourced by "cluster": asks a name server or broker one thing over the remoting protocol, without starting a JVM.
# A frame is: total length (4), serialize type 0 and header length (4), JSON header, body.

readonly update_broker_config=25 # org.apache.rocketmq.remoting.protocol.RequestCode
readonly get_broker_config=26
readonly get_cluster_info=106
readonly probe_seconds=3

# What answers anything at all is up: an error (as an ACL broker gives to an unsigned request) is an answer too.
answers()
{
    ask "$1" "$2" >/dev/null
}

# registered NAME_SERVER BROKER: does the name server list this broker, by its port? If not, bids the broker register now. (5.5.0
# registers at its start only if its connection to the name server is there already; the next time is 10 s later.)
registered()
{
    lists "$@" || {
        ask "$2" "$update_broker_config" brokerPermission=6 >/dev/null || true
        lists "$@"
    }
}

lists()
{
    ask "$1" "$get_cluster_info" | grep -qF ":${2##*:}\""
}

# ask ADDRESS CODE [BODY]: prints the answer's header and body, as text; fails when there is none. Speaks TLS with
# $run's client certificate, or signs with $run's keys, as $mode says.
ask()
(
    exec 2>/dev/null
    if [[ $mode == tls ]]; then
        coproc stream { tls_client "$1"; }
        client=$!
        trap 'kill "$client" || true' EXIT
        exec {input}<&"${stream[0]}" {output}>&"${stream[1]}" # bash hides a coproc's own from the subshells below
    else
        exec {input}<>"/dev/tcp/${1/://}" || exit 1
        output=$input
    fi
    print_request "$2" "${3:-}" >&"$output" || exit 1
    length=$(timeout "$probe_seconds" head -c 4 <&"$input" | od -An -tu4 --endian=big)
    [[ -n $length ]] || exit 1
    timeout "$probe_seconds" head -c $((length)) <&"$input" | tail -c +5
)

print_request()
{
    local header total
    header="{\"code\":$1,\"language\":\"CPP\",\"version\":513,\"opaque\":1,\"flag\":0$(print_signature "$2")}"
    total=$((4 + ${#header} + ${#2}))
    # shellcheck disable=SC2059 # the lengths are bytes, which only the format can hold
    printf "$(print_length "$total")$(print_length ${#header})%s%s" "$header" "$2"
}

print_length()
{
    printf '\\0\\0\\x%02x\\x%02x' $(($1 / 256)) $(($1 % 256))
}

# HMAC-SHA1 of the ext fields' values and the body (AclSigner).
print_signature()
{
    local signature
    [[ $mode == acl ]] || return 0
    signature=$(printf '%s%s' "$access_key" "$1" | openssl dgst -sha1 -hmac "$secret_key" -binary | openssl base64)
    printf ',"extFields":{"AccessKey":"%s","Signature":"%s"}' "$access_key" "$signature"
}

tls_client()
{
    openssl s_client -quiet -verify_return_error -connect "$1" -CAfile "$run/tls/ca.pem" \
        -cert "$run/tls/client.pem" -key "$run/tls/client.key"
}
