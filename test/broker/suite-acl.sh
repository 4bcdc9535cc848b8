# Sourced by "check": signed requests. Right keys work, wrong ones are refused in the broker's own words.

create_acl_topic()
{
    "$mqc" topic create -t "$acl_topic" "${security[@]}"
}

wrong_secret()
{
    refused "signature" "$mqc" send -t "$acl_topic" --access-key "$ACCESS_KEY" --secret-key wrong-secret hello
}

unknown_user()
{
    refused "nobody" "$mqc" send -t "$acl_topic" --access-key nobody --secret-key "$SECRET_KEY" hello
}

no_keys()
{
    refused "username|NO_PERMISSION" env -u ACCESS_KEY -u SECRET_KEY "$mqc" send -t "$acl_topic" hello
}

consumer_with_a_wrong_secret()
{
    local status=0
    timeout 60 "$mqc" consume -t "$acl_topic" -g some-group --from first --count 1 --timeout 3 \
        --access-key "$ACCESS_KEY" --secret-key wrong-secret >out 2>err || status=$?
    same "exit code" "$status" 3
    same "messages" "$(count_lines out)" 0
    says err "signature"
}

# A user that may read one topic and no more.
reader_may_not_write()
{
    local reader=(--access-key reader --secret-key secret12) group
    group=$(unique group)
    "$here/cluster" mqadmin "$cluster" createUser -b "$BROKER_ADDR" -u reader -p secret12
    "$here/cluster" mqadmin "$cluster" createAcl -b "$BROKER_ADDR" -s User:reader \
        -r "Topic:$acl_topic,Group:$group" -a Sub -d Allow
    "$mqc" send -t "$acl_topic" "${security[@]}" "for the reader"
    "$mqc" consume -t "$acl_topic" -g "$group" --from first --count 1 --timeout 60 "${reader[@]}" >out
    says out "for the reader"
    refused "reader" "$mqc" send -t "$acl_topic" "${reader[@]}" hello
}
