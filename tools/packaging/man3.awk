# Writes a manual page of section 3 for every function of the public headers given, from the comment before it:
#   awk -v folder=OUT -v version=0.1.0 -f man3.awk include/mqclient/*.h
# A comment speaks for all declarations up to the next blank line. Complains of functions that no comment speaks for.

function words(text) { # one line, spaces single
    gsub(/[ \t\n]+/, " ", text)
    sub(/^ /, "", text)
    sub(/ $/, "", text)
    return text
}
function roff(text) { # as text for man
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/`/, "", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}
function first_sentence(text) {
    if (match(text, /[.:;] /)) text = substr(text, 1, RSTART - 1)
    sub(/\.$/, "", text)
    return tolower(substr(text, 1, 1)) substr(text, 2)
}
function begin_header() {
    header = FILENAME
    sub(/^.*include\//, "", header)
    comment = ""
    comment_lines = ""
    names_of_group = ""
    text = ""
    seen_guard = 0
}
function declared(prototype, name) {
    sub(/^MQC_API /, "", prototype)
    gsub(/MQC_USE_RESULT /, "", prototype)
    name = prototype
    sub(/\(.*$/, "", name)
    sub(/^.*[ *]/, "", name)
    if (comment == "") {
        printf "%s: %s has no comment\n", FILENAME, name >"/dev/stderr"
        bad = 1
    }
    group_count++
    group_name[group_count] = name
    group_prototype[group_count] = words(prototype)
}
function finish_group(i, page, first) {
    if (group_count == 0) return
    for (i = 1; i <= group_count; i++) {
        page = folder "/" group_name[i] ".3"
        if (group_name[i] in written) continue
        written[group_name[i]] = 1
        printf ".\\\" Written by man3.awk from %s.\n", header >page
        printf ".TH %s 3 \"\" \"libmqclient %s\" \"libmqclient\"\n", toupper(group_name[i]), version >page
        printf ".SH NAME\n%s \\- %s\n", group_name[i], roff(first_sentence(comment)) >page
        printf ".SH SYNOPSIS\n.nf\n.B #include <%s>\n.PP\n", header >page
        for (first = 1; first <= group_count; first++)
            printf "\\fB%s\\fP\n", roff(group_prototype[first]) >page
        printf ".fi\n.PP\nLink with \\fI\\-l%s\\fP.\n", header ~ /embedded/ ? "mqembedded \\-lmqclient" : "mqclient" >page
        printf ".SH DESCRIPTION\n%s", comment_lines >page
        printf ".SH SEE ALSO\n.BR mqc (1),\nthe header\n.IR <%s> .\n", header >page
        close(page)
    }
    group_count = 0
}
FNR == 1 { finish_group(); begin_header() }
# Comments: their text without the stars, paragraphs kept.
/^\/\*/ && !in_comment { in_comment = 1; pending = ""; lines = "" }
in_comment {
    line = $0
    ended = line ~ /\*\//
    sub(/^[ \t]*\/\*[ \t]?/, "", line)
    sub(/\*\/.*$/, "", line)
    sub(/^[ \t]*\*[ \t]?/, "", line)
    if (line ~ /^[ \t]*$/) lines = lines ".PP\n"
    else lines = lines roff(words(line)) "\n"
    pending = pending " " line
    if (ended) {
        in_comment = 0
        sub(/^(\.PP\n)+/, "", lines)
        sub(/(\.PP\n)+$/, "", lines)
        if ($0 !~ /^\/\* ----/) { comment = words(pending); comment_lines = lines }
    }
    next
}
/^[ \t]*$/ && !in_prototype { finish_group(); comment = ""; comment_lines = ""; next }
/^MQC_API / { in_prototype = 1; prototype = "" }
in_prototype {
    line = $0
    sub(/\/\*.*\*\//, "", line) # a remark at the end of the line speaks for its function
    if (line != $0 && comment == "") {
        comment = $0
        sub(/^.*\/\*/, "", comment)
        sub(/\*\/.*$/, "", comment)
        comment = words(comment)
        comment_lines = roff(comment) "\n"
    }
    prototype = prototype " " line
    if (line ~ /;/) { in_prototype = 0; declared(words(prototype)) }
}
END { finish_group(); exit bad }
