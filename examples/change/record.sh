#!/bin/bash
# record.sh - records the sample incident of this folder: auth.log and cloudtrail.json.
#
# auth.log is what a real sshd and sudo wrote when they were attacked over loopback addresses, as they wrote it. The
# cloud is not there: cloudtrail.json is written by cloudtrail.py, in the form in which AWS delivers it, from the
# times at which this script let the group be open and closed.
#
# Everything happens in a machine of its own made of namespaces (../machine.sh): the users of the story never
# exist outside it, and when this script ends all it started ends with it. Takes about four minutes.
#
# Needs root and: openssh-server openssh-client sshpass sudo rsyslog iproute2 python3 (Debian 12).
# usage: record.sh [FOLDER]      FOLDER: where auth.log and cloudtrail.json go; default: beside this script
set -eu

if [ "${1:-}" = --help ]; then sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0; fi

if [ "${RECORD_INSIDE:-}" != yes ]; then
    folder=$(cd "${1:-$(dirname "$0")}" && pwd)
    . "$(dirname "$0")/../machine.sh"
    packages='openssh-server sshpass sudo rsyslog iproute2 python3'
    needs sshd sshpass sudo rsyslogd ip useradd python3
    record "$0" auth.log times
    python3 "$(dirname "$0")/cloudtrail.py" <"$recorded/times" >"$recorded/cloudtrail.json"
    mv "$recorded/auth.log" "$recorded/cloudtrail.json" "$folder"
    chmod 644 "$folder/auth.log" "$folder/cloudtrail.json"
    wc -lc "$folder/auth.log" "$folder/cloudtrail.json"
    exit 0
fi

# ---------------------------------------------------------------------------------- the machine bastion1
. /proc/self/fd/6
make_machine bastion1

alice_password='river-otter-88'
bob_password='correct-horse-41'
for u in alice bob carol; do useradd -m -s /bin/bash "$u"; done
usermod -aG sudo alice
printf 'alice:%s\nbob:%s\ncarol:%s\n' "$alice_password" "$bob_password" 'maple-lantern-17' | chpasswd
add_key alice
add_key carol
start_rsyslogd '$ActionFileDefaultTemplate RSYSLOG_FileFormat'     # as Debian 12 has it: stamps with year and zone
start_sshd

# ---------------------------------------------------------------------------------- who takes part
alice=127.10.0.5        # administrators and users, from the network of the office
bob=127.10.0.23
carol=127.10.0.31
first=127.66.6.10       # dictionary on root, seconds after the port is open
second=127.66.9.201     # dictionary on admin
third=127.71.3.8        # dictionary on names of services
sprayer=127.77.1.20     # one password for everyone
knocker=127.90.4.4      # looks who answers, and leaves

happened() {            # happened WORD: the moment, for cloudtrail.py
    printf '%s %s\n' "$1" "$(date +%s)" >&9
    say "$1"
}
ordinary() {            # who works here, until stopped
    local i=0
    while :; do
        case $((i % 3)) in
            0) by_key $carol carol 'uptime' || true;;
            1) once $bob bob "$bob_password" 'ls -l' || true;;
            2) by_key $alice alice 'df -h' || true;;
        esac
        i=$((i + 1))
        sleep $((14 + RANDOM % 8))
    done
}
dictionary() {          # dictionary ADDRESS USER... : the same words for each, until stopped
    local from=$1 user word; shift
    while :; do
        for word in 123456 password admin 12345678 qwerty letmein root toor changeme welcome abc123 P@ssw0rd 1q2w3e4r; do
            for user in "$@"; do once "$from" "$user" "$word" || true; done
        done
    done
}
spray() {
    local user
    for user in root admin test oracle postgres mysql git jenkins ubuntu ec2-user centos pi ftp www-data backup nagios \
        tomcat alice bob carol guest support user1 ansible hadoop; do
        once $sprayer "$user" 'Autumn2026!' || true
        sleep "0.$((RANDOM % 9 + 1))"
    done
}
knock() {               # connects, reads the banner, leaves
    local i
    for i in 1 2 3; do
        python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", 22), 3, (sys.argv[1], 0)).recv(64)' $knocker || true
        sleep 1
    done
}

# ---------------------------------------------------------------------------------- what happens
happened begin
ordinary & ordinary_pid=$!
sleep 8
once $bob bob 'corect-horse-41' || true                 # mistyped
printf 'sudo /usr/bin/apt-get --version\n%s\nexit\n' "$alice_password" | typed |
    timeout 60 ssh -tt "${ssh_options[@]}" -i /mnt/keys/alice -b $alice alice@127.0.0.1 >/mnt/session.0 2>&1 || true
sleep 38

happened opened                                         # port 22 for everyone
sleep 7
knock & knock_pid=$!
sleep 4
dictionary $first root & first_pid=$!
sleep 9
dictionary $second admin administrator & second_pid=$!
sleep 6
spray & spray_pid=$!
dictionary $third postgres oracle git deploy & third_pid=$!
sleep 60

happened noticed                                        # alice sees it
printf 'sudo /usr/bin/tail -n 3 /var/log/auth.log\n%s\nexit\n' "$alice_password" | typed |
    timeout 60 ssh -tt "${ssh_options[@]}" -i /mnt/keys/alice -b $alice alice@127.0.0.1 >/mnt/session.1 2>&1 || true
sleep 11
happened closed
# What a closed group does: the attackers reach nothing from now on.
kill $first_pid $second_pid $third_pid $spray_pid $knock_pid 2>/dev/null || true
wait $first_pid $second_pid $third_pid $spray_pid $knock_pid 2>/dev/null || true
pkill -x -f "ssh .* -b 127\.(66|7|90).*" 2>/dev/null || true
sleep 45
happened end
kill $ordinary_pid 2>/dev/null || true; wait $ordinary_pid 2>/dev/null || true
kill $sshd_pid; wait $sshd_pid 2>/dev/null || true
sleep 1
kill $rsyslogd_pid; wait $rsyslogd_pid 2>/dev/null || true
if [ -n "${RECORD_DEBUG:-}" ]; then cat -v /mnt/session.* >&2; fi
cat /var/log/auth.log >&8
say 'recorded'
