# Sourced by "cluster" and by test/interop/peer: finds Java 17 and, once, fetches a RocketMQ release's jars
# with Maven into $build/broker/VERSION/jars. Whoever sources this has set "set -euo pipefail".

broker_source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${MQC_BUILD:-$broker_source/../../build}
mkdir -p "$build/broker"
build=$(cd "$build" && pwd)

fail()
{
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# The path of a Java 17 or newer: JAVA_HOME's when that is set, else the one on PATH.
find_java()
{
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java major
    command -v "$java" >/dev/null ||
        fail "no $java: RocketMQ needs Java 17 (set JAVA_HOME, or install openjdk-17-jdk-headless)"
    major=$("$java" -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' | head -n 1)
    ((${major:-0} >= 17)) || fail "$java is Java ${major:-unknown}: RocketMQ's test cluster needs 17 or newer"
    command -v "$java"
}

jars_folder()
{
    echo "$build/broker/$1/jars"
}

# Fetches once; the stamp is inside the folder, so a folder that is half there does not count.
fetch_jars()
{
    local version=$1 pom=$broker_source/pom-$1.xml jars log
    jars=$(jars_folder "$version")
    log=$build/broker/$version/fetch.log
    [[ -f $pom ]] || fail "no RocketMQ $version here: $(known_versions)"
    mkdir -p "$build/broker/$version"
    exec {fetch_lock}>"$build/broker/$version/fetch.lock"
    flock "$fetch_lock"
    if [[ ! $jars/.complete -nt $pom ]]; then
        command -v mvn >/dev/null || fail "no mvn: Maven fetches RocketMQ $version (install maven)"
        find_java >/dev/null
        rm -rf "$jars"
        mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$jars" >"$log" 2>&1 || {
            tail -n 20 "$log" >&2
            fail "mvn could not fetch RocketMQ $version; the whole of it is in $log"
        }
        touch "$jars/.complete"
    fi
    exec {fetch_lock}>&-
}

# compile_interop VERSION: compiles test/interop against a 5.x release's jars and prints where the classes are. Under a
# lock, and renamed into place, so that those who start together find all of it or nothing.
compile_interop()
{
    local sources=("$broker_source"/../interop/*.java) classes=$build/broker/$1/classes java lock
    java=$(find_java)
    exec {lock}>"$classes.lock"
    flock "$lock"
    if [[ ! -d $classes || -n $(find "${sources[@]}" -newer "$classes") ]]; then
        rm -rf "$classes" "$classes.new"
        "${java%java}javac" --release 17 -Xlint:all,-processing,-classfile -Werror -cp "$(jars_folder "$1")/*" \
            -d "$classes.new" "${sources[@]}" >&2 || fail "test/interop does not compile (is there a JDK 17, not only a JRE?)"
        mv "$classes.new" "$classes"
    fi
    exec {lock}>&-
    echo "$classes"
}

known_versions()
{
    local pom
    echo -n "known versions:"
    for pom in "$broker_source"/pom-*.xml; do
        pom=${pom##*/pom-}
        echo -n " ${pom%.xml}"
    done
}
