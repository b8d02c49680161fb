# machine.sh - what the recordings of the examples share: a machine made of namespaces, and people who log in to it.
#
# Sourced by record.sh of an example, outside (`record`) and inside (everything else). The machine has its own host
# name, loopback network, process table, /etc, /home, /var/log, /var/www, /run, /tmp and /dev. The users of the story
# never exist outside it, and when a script ends all it started ends with it.
# shellcheck shell=bash

# ---------------------------------------------------------------------------------- outside
# needs TOOL... : ends the script when one is missing; $packages says what to install
needs() {
    local tool
    if [ "$(id -u)" != 0 ]; then echo "record.sh: needs root; run it with sudo" >&2; exit 2; fi
    for tool in unshare "$@"; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
            { echo "record.sh: $tool is missing; apt-get install $packages" >&2; exit 2; }
    done
}

# record SCRIPT FILE... : runs SCRIPT inside, with RECORD_INSIDE=yes. What it writes to its open files 8, 9, ... is in
# the folder $recorded afterwards, as the FILEs. The scripts pass through open files, too (6: this one, 7: SCRIPT), so
# that nothing inside needs to know a path of this machine.
record() {
    local script=$1 status=0 file number=8; shift
    recorded=$(mktemp -d)
    trap 'rm -rf "$recorded"' EXIT
    exec 6<"${BASH_SOURCE[0]}" 7<"$script"
    for file in "$@"; do eval "exec $number>\"\$recorded/\$file\""; number=$((number + 1)); done
    env -i RECORD_INSIDE=yes RECORD_DEBUG="${RECORD_DEBUG:-}" PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        unshare --mount --uts --ipc --net --pid --fork --kill-child --mount-proc bash /proc/self/fd/7 || status=$?
    exec 6<&- 7<&-
    number=8; for file in "$@"; do eval "exec $number>&-"; number=$((number + 1)); done
    for file in "$@"; do
        if [ "$status" != 0 ] || [ ! -s "$recorded/$file" ]; then
            echo "record.sh: recording failed (status $status, $file); the old record stays" >&2
            exit 1
        fi
    done
}

# ---------------------------------------------------------------------------------- inside: the machine
say() { echo "$(date +%T) $*" >&2; }

# make_machine NAME
make_machine() {
    local d f
    cd /
    hostname "$1"
    ip link set lo up

    mount -t tmpfs -o mode=755 tmpfs /mnt
    cp -a /etc /mnt/etc                                 # a private copy: users, sudoers and PAM settings of the story
    mkdir /mnt/dev
    mount --bind /mnt/etc /etc
    for d in home var/log var/www run tmp var/mail var/lib/sudo var/lib/nginx; do
        mkdir -p "/$d"; mount -t tmpfs -o mode=755 tmpfs "/$d"
    done
    chmod 1777 /tmp
    for f in /var/log/lastlog /var/log/wtmp /var/log/btmp /run/utmp; do : >$f; done; chmod 600 /var/log/btmp
    mount --bind /mnt/dev /dev
    mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/full c 1 7
    mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9; mknod -m 666 /dev/tty c 5 0
    mkdir /dev/pts; mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
    ln -s pts/ptmx /dev/ptmx; ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr

    echo "$1" >/etc/hostname
    printf '127.0.0.1 %s localhost\n::1 localhost\n' "$1" >/etc/hosts
    ln -sf /usr/share/zoneinfo/UTC /etc/localtime; echo Etc/UTC >/etc/timezone
    sed -i 's/^\(passwd\|group\|shadow\|gshadow\):.*/\1: files/; s/^hosts:.*/hosts: files/' /etc/nsswitch.conf
    sed -i '/pam_systemd/d' /etc/pam.d/common-session   # no systemd in here
    sed -i '/pam_limits/d' /etc/pam.d/sudo /etc/pam.d/su     # nor the right to raise limits, in many containers
    sed -i '/pam_loginuid\|pam_motd\|pam_mail/d' /etc/pam.d/sshd
    for f in passwd shadow group gshadow; do            # system users only, whoever else this machine has
        grep -E "^($(awk -F: '$3 < 1000 || $3 > 60000 {print $1}' /etc/passwd | paste -sd'|')|$(awk -F: '$3 < 1000 || $3 > 60000 {print $1}' /etc/group | paste -sd'|')):" "/etc/$f" >"/mnt/$f"
        cat "/mnt/$f" >"/etc/$f"
    done
    sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
    : >/etc/subuid; : >/etc/subgid
    rm -f /etc/sudoers.d/*
    printf 'Defaults env_reset\nDefaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\nroot ALL=(ALL:ALL) ALL\n%%sudo ALL=(ALL:ALL) ALL\n' >/etc/sudoers
    mkdir -m 700 /mnt/keys
}

# add_key USER: a key of USER's own, by_key logs in with it
add_key() {
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "/mnt/keys/$1"
    install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
    install -m 600 -o "$1" -g "$1" "/mnt/keys/$1.pub" "/home/$1/.ssh/authorized_keys"
}

# start_rsyslogd SETTINGS: writes auth.log
start_rsyslogd() {
    printf 'module(load="imuxsock")\n%s\n$PreserveFQDN off\nauth,authpriv.* /var/log/auth.log\n' "$1" >/etc/rsyslog.conf
    rsyslogd -n -i /run/rsyslogd.pid & rsyslogd_pid=$!
    for _ in $(seq 50); do [ -S /dev/log ] && break; sleep 0.1; done
    [ -S /dev/log ]
}

# start_sshd: with keys of its own
start_sshd() {
    rm -f /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d/* /etc/ssh/ssh_config.d/*
    ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f /etc/ssh/ssh_host_ed25519_key
    cat >/etc/ssh/sshd_config <<'CONF'
ListenAddress 127.0.0.1
HostKey /etc/ssh/ssh_host_ed25519_key
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
PrintMotd no
PrintLastLog no
CONF
    mkdir -p /run/sshd
    /usr/sbin/sshd -D & sshd_pid=$!
    for _ in $(seq 50); do ss -ltn 2>/dev/null | grep -q '127.0.0.1:22' && break; sleep 0.1; done
}

# ---------------------------------------------------------------------------------- inside: people
ssh_options=(-q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -F /dev/null)
by_password=("${ssh_options[@]}" -o PreferredAuthentications=password -o PubkeyAuthentication=no)

once() {                # once ADDRESS USER PASSWORD [COMMAND]: one log-in with one password
    local from=$1 user=$2 password=$3; shift 3
    sshpass -p "$password" ssh "${by_password[@]}" -o NumberOfPasswordPrompts=1 -b "$from" "$user@127.0.0.1" "${@:-true}" </dev/null >/dev/null 2>&1
}
by_key() {              # by_key ADDRESS USER COMMAND
    ssh "${ssh_options[@]}" -i "/mnt/keys/$2" -o PasswordAuthentication=no -b "$1" "$2@127.0.0.1" "$3" </dev/null >/dev/null 2>&1
}
typed() {               # typed: says one line of standard input every 1.2 s, as a person at a terminal does; `#N` waits N s
    local line
    sleep 1.5
    while IFS= read -r line; do
        case $line in '#'*) sleep "${line#?}";; *) printf '%s\n' "$line"; sleep 1.2;; esac
    done
}
