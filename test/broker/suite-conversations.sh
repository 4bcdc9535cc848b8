# Sourced by "check": transactions and requests with the Java client at the other end, and who answers for the dead.

# ---- transactions ----

# Each side's commits reach the other, its rollbacks do not.
java_gets_our_commits()
{
    new_topic 2
    "$mqc" send -t "$topic" -g ours --transaction rollback "never" "${security[@]}"
    "$mqc" send -t "$topic" -g ours -k k1 -p shop=berlin --transaction commit --json "${security[@]}" "$utf8_text" >sent
    "$mqc" send -t "$topic" -g last "${security[@]}" "the last one"
    "$peer" consume "$topic" "$(unique group)" 2 --timeout 60 >came
    same "messages that Java got" "$(jq -r .tags came | sort | xargs)" "last ours"
    same "the committed one" "$(jq -r 'select(.tags == "ours") | [.msgId, .keys, .properties.shop, .body] | join(",")' came)" \
        "$(jq -r .msgId sent),k1,berlin,$utf8_text"
}

we_get_java_s_commits()
{
    new_topic 2
    "$peer" transact "$topic" "$(unique java)" 2 rollback -- transact "$topic" "$(unique java)" 3 commit >ended
    jq -c 'select(.state == "COMMIT_MESSAGE")' ended >sent
    "$mqc" send -t "$topic" -g last "${security[@]}" "the last one"
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 4 --timeout 60 --json "${security[@]}" >came
    same "what we got" "$(jq -r .body came | sort | paste -sd,)" "java 0,java 1,java 2,the last one"
    same "ids" "$(jq -r 'select(.tags == "java") | .msgId' came | sort)" "$(jq -r .msgId sent | sort)"
}

# The process dies between the half message and its end; a producer of the other kind answers the broker.
we_answer_for_a_dead_java()
{
    new_topic 1
    group=$(unique producers)
    ! "$peer" transact "$topic" "$group" 1 die
    "$mqc" send -t "$topic" -g ours -X producerGroup="$group" --transaction unknown --check commit "${security[@]}" "of ours"
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 2 --timeout 60 --json "${security[@]}" >came
    same "what we got" "$(jq -r .body came | sort | paste -sd,)" "java 0,of ours"
}

java_answers_for_us()
{
    new_topic 1
    group=$(unique producers)
    "$mqc" send -t "$topic" -g ours -X producerGroup="$group" --transaction unknown --json "${security[@]}" "of the dead" >sent
    background java "$peer" transact "$topic" "$group" 0 unknown --check commit --wait 1000
    "$mqc" consume -t "$topic" -g "$(unique group)" --from first --count 1 --timeout 60 --json "${security[@]}" >came
    same "what we got" "$(jq -r '[.msgId, .body] | join(",")' came)" "$(jq -r .msgId sent),of the dead"
    same "what Java was asked" "$(jq -r '[.checked, .body, .tags] | join(",")' java.out | sort -u)" \
        "$(jq -r .msgId sent),of the dead,ours"
}

# ---- requests ----

java_answers_our_requests()
{
    new_topic 2
    background java "$peer" reply "$topic" "$(unique group)" 3
    await "a Java replier" grep -q consuming java.err
    "$mqc" request -t "$topic" --timeout 60 "${security[@]}" "$utf8_text" >reply
    same "the reply" "$(cat reply)" "Java: $utf8_text"
    head -c 20000 /dev/zero | tr '\0' x | "$mqc" request -t "$topic" --timeout 60 --json "${security[@]}" >reply
    same "a large reply" "$(jq -r '.body | length' reply)" 20006
    same "its type" "$(jq -r .properties.MSG_TYPE reply)" reply
    "$mqc" request -t "$topic" --timeout 60 -q "${security[@]}" "the last"
    await_end java
    same "replies that arrived" "$(jq -r .status java.out | xargs)" "SEND_OK SEND_OK SEND_OK"
}

we_answer_java_s_requests()
{
    new_topic 2
    background ours "$mqc" reply -t "$topic" -g "$(unique group)" -e 'printf "re: "; cat' \
        -X consumeFromWhere=CONSUME_FROM_FIRST_OFFSET "${security[@]}"
    same "our own reply" "$("$mqc" request -t "$topic" --timeout 60 "${security[@]}" "are you there?")" "re: are you there?"
    "$peer" request "$topic" 3 --size 20000 >replies
    same "replies" "$(jq -r '.body | .[0:15]' replies | paste -sd,)" "re: what 0?xxxx,re: what 1?xxxx,re: what 2?xxxx"
    same "their size" "$(jq -r '.body | length' replies | sort -u)" 20004
    same "their type" "$(jq -r .properties.MSG_TYPE replies | sort -u)" reply
    end ours
}
