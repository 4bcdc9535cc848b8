# Sourced by "check": TLS with client certificates, and everything that is not trusted refused with a reason.

# try PATTERN OPTION...: a send with these options is refused, and so is a look at the routes.
refused_both()
{
    local pattern=$1
    shift
    refused "$pattern" "$mqc" topic list "$@"
    refused "$pattern" "$mqc" send -t some-topic "$@" hello
}

wrong_authority()
{
    refused_both "certificate verify failed.*authority is not in ca_file" \
        --tls --tls-ca "$TLS_WRONG_CA" --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY"
}

systems_authorities()
{
    refused_both "certificate verify failed.*trust store: set ca_file" --tls --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY"
}

wrong_host_name()
{
    refused_both "mismatch.*expected wrong\.example\.com" --tls --tls-ca "$TLS_CA" --tls-cert "$TLS_CERT" \
        --tls-key "$TLS_KEY" --tls-server-name wrong.example.com
}

right_host_name()
{
    "$mqc" topic list --tls --tls-ca "$TLS_CA" --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY" --tls-server-name localhost
    "$mqc" topic list -n "localhost:${NAMESRV_ADDR#*:}" --tls --tls-ca "$TLS_CA" --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY"
}

no_client_certificate()
{
    refused_both "client certificate" --tls --tls-ca "$TLS_CA"
}

wrong_client_certificate()
{
    refused_both "does not accept the client certificate" --tls --tls-ca "$TLS_CA" \
        --tls-cert "$TLS_WRONG_CERT" --tls-key "$TLS_WRONG_KEY"
}

plain_to_tls()
{
    refused_both "TLS"
}

tls_to_plain()
{
    refused_both "TLS" --tls
}

# A consumer says why it gets nothing, and ends in good order.
consumer_refused()
{
    local status=0
    timeout 60 "$mqc" consume -t some-topic -g some-group --timeout 3 --count 1 --tls --tls-ca "$TLS_WRONG_CA" \
        --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY" >out 2>err || status=$?
    same "exit code" "$status" 3
    says err "certificate verify failed"
    same "messages" "$(count_lines out)" 0
}

# Whoever wants to trust anybody is told so.
verification_switched_off()
{
    "$mqc" topic list --tls --tls-skip-verify --tls-cert "$TLS_CERT" --tls-key "$TLS_KEY" >out 2>err
    says err "WARN|ERROR"
    says err "verif"
}
