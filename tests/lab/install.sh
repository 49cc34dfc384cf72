#!/bin/bash
# Installs what the laboratory needs and this machine lacks. Run it as often as you like: with nothing missing
# it is done in a fraction of a second, and says nothing.
#
#   install.sh run     what `make run` needs: Asterisk, SIPp, a C compiler and linker
#   install.sh test    all of that, and MariaDB, PostgreSQL, aiosmtpd, espeak-ng, sox and strace
#
# Packages come by apt, from the mirrors that the machine's own apt sources name. No daemon is started.
# Asterisk is not in Debian bookworm: unless the machine has its own, Debian forky's is unpacked into a folder
# of its own, signatures checked by apt, and nothing of the system is replaced.
#
#   TANDEM_LAB                 folder for what is unpacked (default: /var/cache/tandem for root, as the servers run
#                              as nobody; otherwise tandem in the user's cache folder)
#   TANDEM_LAB_STALE_MIRROR=1  accept a mirror whose Release file is past its date; signatures are still checked
set -euo pipefail

say() { echo "install.sh: $*" >&2; }
die() { say "$*"; exit 1; }

if [ "$(id -u)" = 0 ]; then default=/var/cache/tandem; else default=${XDG_CACHE_HOME:-$HOME/.cache}/tandem; fi
lab=${TANDEM_LAB:-$default}
asterisk=$lab/asterisk

# --- what is missing -------------------------------------------------------------------------------------

missing=()
need() { # program package: the package is missing when the program is
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing+=("$2")
}
has_asterisk() {
    PATH=$PATH:/usr/sbin:/sbin command -v asterisk >/dev/null || [ -e "$asterisk/complete" ]
}
look() {
    missing=()
    need cc gcc
    need sipp sip-tester
    need setpriv util-linux
    case $1 in
    run) ;;
    test)
        need sox sox
        need espeak-ng espeak-ng
        need strace strace
        need mariadbd mariadb-server
        need aiosmtpd python3-aiosmtpd
        compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
        ;;
    *) die "usage: install.sh run|test" ;;
    esac
}

what=${1:-test}
look "$what"
if [ ${#missing[@]} = 0 ] && has_asterisk; then exit 0; fi

# One at a time: a second run waits here, and then finds nothing missing.
mkdir -p "$lab"
exec 9>"$lab/lock"
flock -n 9 || { say "another run is installing; waiting for it"; flock 9; }
look "$what"

# --- packages of this Debian -----------------------------------------------------------------------------

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi

updated=
update() { # apt's lists, once, and only if something is to be fetched
    [ -z "$updated" ] || return 0
    say "reading the package lists"
    "${as_root[@]}" apt-get -qq update || die "apt-get update failed: mend the machine's apt sources or its network, then run this again"
    updated=1
}

policy=/usr/sbin/policy-rc.d
policy_back() {
    "${as_root[@]}" rm -f $policy
    if [ -e $policy.tandem ]; then "${as_root[@]}" mv $policy.tandem $policy; fi
}
install_packages() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "missing packages: ${missing[*]}; without sudo ask an administrator to install them"
    say "installing ${missing[*]} (no daemon is started)"
    update
    # Debian's way to keep packages from starting their daemons: this program says no while we install.
    trap policy_back EXIT
    if [ -e $policy ] && [ ! -e $policy.tandem ]; then "${as_root[@]}" mv $policy $policy.tandem; fi
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install "${missing[@]}" >&2 || die "apt-get install ${missing[*]} failed"
    policy_back
    trap - EXIT
}

# --- Asterisk of Debian forky, in a folder of its own ----------------------------------------------------

mirror() { # the archive that this machine takes its Debian from
    apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
        awk -v name="$1" '$1 == name { print $2; exit }'
}

unpack_asterisk() {
    local codename uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg new=$lab/asterisk.new
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    [ -e $keyring ] || die "no $keyring to check signatures with; install debian-archive-keyring"
    uri=$(mirror "$codename")
    [ -n "$uri" ] || { update; uri=$(mirror "$codename"); }
    [ -n "$uri" ] || die "apt knows no Debian mirror for '$codename'; install Asterisk 18 or newer yourself"
    say "unpacking Asterisk of Debian forky into $asterisk (this Debian has none; nothing else is touched)"

    rm -rf "$new"
    mkdir -p "$new"/{apt/lists/partial,apt/archives/partial,root}
    : >"$new/apt/status"
    echo "deb [signed-by=$keyring] $uri forky main" >"$new/apt/sources.list"
    # The machine's apt settings hold (proxy, credentials); only what says where things are is our own.
    local apt=(apt-get -qq
        -o "Dir::State=$new/apt" -o "Dir::State::lists=$new/apt/lists" -o "Dir::State::status=$new/apt/status"
        -o "Dir::Cache=$new/apt" -o "Dir::Cache::archives=$new/apt/archives"
        -o "Dir::Etc::sourcelist=$new/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o APT::Sandbox::User= -o APT::Install-Recommends=false -o Acquire::Languages=none)
    if [ "${TANDEM_LAB_STALE_MIRROR:-}" = 1 ]; then
        say "TANDEM_LAB_STALE_MIRROR=1: the mirror may be past its date (signatures are still checked)"
        apt+=(-o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false)
    elif [ "$(eval "$(apt-config shell check Acquire::Check-Valid-Until/b)"; echo "${check:-true}")" = false ]; then
        say "this machine's apt settings accept a mirror past its date, and so it is here (signatures are still checked)"
    fi
    "${apt[@]}" update ||
        die "no package lists of forky; if its Release file is merely past its date (a frozen mirror), set TANDEM_LAB_STALE_MIRROR=1"
    # The lists have to be complete: apt itself calls a failed download a warning.
    compgen -G "$new/apt/lists/*_Packages*" >/dev/null || die "the mirror has no packages of forky"
    "${apt[@]}" -y install --download-only asterisk >"$new/apt/log" || { cat "$new/apt/log" >&2; die "cannot fetch Asterisk"; }

    # Asterisk and the libraries it loads; the base system that apt adds for its install scripts is not needed.
    local package
    for package in "$new"/apt/archives/*.deb; do
        case ${package##*/} in
        asterisk*.deb | lib*.deb | zlib1g_*.deb | openssl-provider-legacy_*.deb)
            dpkg-deb --fsys-tarfile "$package" | tar -x -C "$new/root" --no-same-owner \
                --exclude=./usr/share/man --exclude=./usr/share/doc --exclude=./usr/share/locale
            ;;
        esac
    done
    local link
    for link in bin sbin lib lib64; do
        if [ ! -e "$new/root/$link" ] && [ -d "$new/root/usr/$link" ]; then ln -s "usr/$link" "$new/root/$link"; fi
    done
    ln -sfn en_US_f_Allison "$new/root/usr/share/asterisk/sounds/en"

    # It runs with its own C library, by its own loader. The name of the folder is found at run time: it may be moved.
    cat >"$new/asterisk" <<'RUN'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
for loader in "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.*; do [ -x "$loader" ] && break; done
exec "$loader" --library-path "$(echo "$root"/usr/lib/*-linux-gnu)" "$root/usr/sbin/asterisk" "$@"
RUN
    chmod 755 "$new/asterisk"
    rm -rf "$new/apt"
    chmod -R a+rX "$new"
    local version
    version=$("$new/asterisk" -V) || die "the unpacked Asterisk does not run"
    echo "$version" >"$new/complete"
    rm -rf "$asterisk"
    mv "$new" "$asterisk"
    say "$version is in $asterisk"
}

if [ ${#missing[@]} != 0 ]; then install_packages; fi
if ! has_asterisk; then unpack_asterisk; fi
