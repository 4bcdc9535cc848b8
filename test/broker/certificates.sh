# Sourced by "cluster": the certificates of a TLS cluster, made afresh at each start, and Java's TLS settings.
# In FOLDER: ca.pem; server.pem/.key for localhost and 127.0.0.1; client.pem/.key; the same of an unrelated CA as
# wrong-ca.pem and wrong-client.pem/.key; tls.properties for name server, broker, mqadmin and the Java client.

make_certificates()
{
    local folder=$1
    command -v openssl >/dev/null || fail "no openssl: it makes the certificates of --mode tls"
    mkdir -p "$folder"
    make_authority "$folder" ca "mqclient test CA"
    make_authority "$folder" wrong-ca "another CA"
    make_certificate "$folder" server ca "subjectAltName=DNS:localhost,IP:127.0.0.1"
    make_certificate "$folder" client ca "extendedKeyUsage=clientAuth"
    make_certificate "$folder" wrong-client wrong-ca "extendedKeyUsage=clientAuth"
    write_tls_properties "$folder"
}

make_authority()
{
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$3" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$1/$2.key" -out "$1/$2.pem"
}

# make_certificate FOLDER NAME AUTHORITY EXTENSION; openssl writes the key as PKCS#8, which Java needs.
make_certificate()
{
    local folder=$1 name=$2 authority=$3 extension=$4
    quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$folder/$name.key" -out "$folder/$name.csr"
    quietly openssl x509 -req -in "$folder/$name.csr" -CA "$folder/$authority.pem" -CAkey "$folder/$authority.key" \
        -CAcreateserial -days 30 -extfile <(echo "$extension") -out "$folder/$name.pem"
    rm "$folder/$name.csr"
}

quietly()
{
    local output
    output=$("$@" 2>&1) || fail "$1 $2 failed: $output"
}

write_tls_properties()
{
    cat >"$1/tls.properties" <<END
tls.test.mode.enable=false
tls.server.need.client.auth=require
tls.server.authClient=true
tls.server.keyPath=$1/server.key
tls.server.certPath=$1/server.pem
tls.server.trustCertPath=$1/ca.pem
tls.client.authServer=true
tls.client.keyPath=$1/client.key
tls.client.certPath=$1/client.pem
tls.client.trustCertPath=$1/ca.pem
END
}
