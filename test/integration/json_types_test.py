#!/usr/bin/python3
"""Real events of many products are classified to the right log type, in whatever form they come."""
import collections
import json
import subprocess
import sys

import harness as h

# How the test data call a log, and what we call it. Where an event of the data may be several, any of ours is right.
NAMES = {
    'AWS.CloudTrail': 'aws/cloudtrail', 'AWS.GuardDuty': 'aws/guardduty', 'AWS.S3ServerAccess': 'aws/s3access',
    'AWS.SecurityFindingFormat': 'aws/securityhub', 'AWS.WAFWebACL': 'aws/waf', 'AWS.BedrockModelInvocation': 'aws/bedrock',
    'Amazon.EKS.Audit': 'kubernetes/audit', 'Anthropic.Activity': 'anthropic/activity', 'AppOmni.Alerts': 'appomni/alert',
    'Asana.Audit': 'asana/audit', 'Atlassian.Audit': 'atlassian/audit', 'Auth0.Events': 'auth0/log',
    'Axonius.Activity': 'axonius/activity', 'Azure.Audit': 'azure/audit azure/signin azure/risk azure/activity',
    'Azure.MonitorActivity': 'azure/activity azure/aks-audit', 'CarbonBlack.AlertV2': 'carbonblack/alert',
    'CarbonBlack.Audit': 'carbonblack/audit', 'CiscoUmbrella.DNS': 'cisco/umbrella-dns',
    'Cloudflare.Firewall': 'cloudflare/firewall', 'Cloudflare.HttpRequest': 'cloudflare/http',
    'Crowdstrike.EventStreams': 'crowdstrike/stream', 'Crowdstrike.FDREvent': 'crowdstrike/fdr',
    'Databricks.Audit': 'databricks/audit', 'Docusign.Connect': 'docusign/connect', 'Dropbox.TeamEvent': 'dropbox/team',
    'GCP.AuditLog': 'gcp/audit', 'GCP.HTTPLoadBalancer': 'gcp/http-lb', 'GSuite.ActivityEvent': 'google/workspace',
    'GitLab.Audit': 'gitlab/audit', 'GitLab.Production': 'gitlab/production',
    'Gravitational.TeleportAudit': 'teleport/audit',
    'Microsoft365.Audit.AzureActiveDirectory': 'm365/audit', 'Microsoft365.Audit.Exchange': 'm365/audit',
    'Microsoft365.Audit.SharePoint': 'm365/audit', 'MicrosoftDefenderXDR.AdvancedHunting': 'azure/defender-hunting',
    'MicrosoftGraph.SecurityAlertV2': 'azure/graph-alert', 'MicrosoftIntune.AuditLogs': 'azure/intune',
    'MicrosoftIntune.OperationalLogs': 'azure/intune', 'MongoDB.OrganizationEvent': 'mongodb/atlas',
    'MongoDB.ProjectEvent': 'mongodb/atlas', 'Netskope.Audit': 'netskope/audit', 'Notion.AuditLogs': 'notion/audit',
    'OneLogin.Events': 'onelogin/events', 'OnePassword.ItemUsage': 'onepassword/item-usage',
    'OnePassword.SignInAttempt': 'onepassword/signin', 'OpenAI.Audit': 'openai/audit', 'Orca.Alert': 'orca/alert',
    'Panther.Audit': 'panther/audit', 'Proofpoint.Event': 'proofpoint/event',
    'PushSecurity.Activity': 'push-security/event', 'PushSecurity.Controls': 'push-security/event',
    'PushSecurity.Entities': 'push-security/event', 'SOCRadar.Incidents': 'socradar/incident',
    'Salesforce.LoginAs': 'salesforce/event', 'Salesforce.RealtimeEvent': 'salesforce/event',
    'SentinelOne.Activity': 'sentinelone/activity', 'Slack.AuditLogs': 'slack/audit',
    'Snowflake.DataTransferHistory': 'snowflake/transfer', 'Snowflake.GrantsToRoles': 'snowflake/grants',
    'Snowflake.GrantsToUsers': 'snowflake/grants', 'Snowflake.LoginHistory': 'snowflake/login',
    'Snowflake.QueryHistory': 'snowflake/query', 'Snyk.GroupAudit': 'snyk/audit', 'Snyk.OrgAudit': 'snyk/audit',
    'Sublime.Audit': 'sublime/audit', 'Sublime.MessageEvent': 'sublime/audit', 'Tailscale.Audit': 'tailscale/audit',
    'ThinkstCanary.Alert': 'canary/alert', 'Tines.Audit': 'tines/audit', 'Tracebit.Alert': 'tracebit/alert',
    'Upwind.Detections': 'upwind/detection', 'Windows.EventLogs': 'windows/security', 'Wiz.Audit': 'wiz/audit',
    'Wiz.Detections': 'wiz/issue', 'Wiz.Issues': 'wiz/issue', 'Wiz.IssuesWebhook': 'wiz/issue',
    'Zendesk.Audit': 'zendesk/audit', 'Zoom.Operation': 'zoom/operation',
    'Zscaler.ZIA.AdminAuditLog': 'zscaler/zia-audit',
    # streamalert
    'cloudtrail:events': 'aws/cloudtrail', 'cloudtrail:insight': 'aws/cloudtrail-insight',
    'cloudwatch:events': 'aws/cloudtrail aws/guardduty aws/eventbridge', 'cloudwatch:rds_aurora': 'aws/cloudwatch-logs',
    'duo:administrator': 'duo/administrator', 'duo:authentication': 'duo/authentication', 'ghe:general': 'github/audit',
    'okta:logevents': 'okta/system', 'packetbeat:dns': 'packetbeat/dns', 'packetbeat:flow': 'packetbeat/flow',
    'slack:access': 'slack/access', 'trendmicro:malwareevent': 'trendmicro/antimalware',
}


def types_of(lines):
    """For each line (a text) the set of types of its events."""
    found = h.run([vedette, 'decode', '-', '--year', '2026'], stdin=('\n'.join(lines) + '\n').encode())
    out = collections.defaultdict(set)
    starts, at = {}, 0
    for number, line in enumerate(lines):
        starts[at] = number
        at += len(line.encode()) + 1
    for text in found.out.decode().splitlines():
        event = json.loads(text)
        out[starts[int(event['id'].rsplit('@', 1)[1].split('.')[0])]].add(event['type'])
    return [out[i] for i in range(len(lines))]


def classify(name, cases, share):
    """cases: (what the data call it, line)."""
    right, wrong = 0, collections.Counter()
    for (log_types, _), got in zip(cases, types_of([line for _, line in cases])):
        want = {one for log_type in log_types for one in NAMES.get(log_type, '').split()}
        if got and got <= want:
            right += 1
        else:
            wrong['%s as %s' % (','.join(log_types) or 'no name', ' '.join(sorted(got)))] += 1
    h.note('%s: %d of %d events (%.1f %%) have the right type' % (name, right, len(cases), 100 * right / len(cases)))
    for what, count in wrong.most_common(60):
        h.note('  %d %s' % (count, what))
    h.check('%s: at least %.1f %% of the types are right' % (name, share), right >= share / 100 * len(cases))


def panther(folder):
    cases = []
    for path in sorted(folder.glob('*.jsonl')):
        for line in path.read_text().splitlines():
            case = json.loads(line)
            if isinstance(case['log'], dict) and case['log_types']:
                cases.append((case['log_types'], json.dumps(case['log'])))
    classify('panther', cases, 98)


def streamalert(folder):
    cases = []
    for path in sorted((folder / 'rules').rglob('*.json')):
        for case in json.loads(path.read_text()):
            if 'data' in case:
                data = case['data']
                cases.append(([case['log']], data if isinstance(data, str) else json.dumps(data)))
    classify('streamalert', cases, 98)


def lines_of(path):
    if path.suffix == '.zst':
        return subprocess.run(['zstd', '-dc', '--long=27', str(path)], stdout=subprocess.PIPE, check=True).stdout
    if path.suffix == '.gz':
        return subprocess.run(['gzip', '-dc', str(path)], stdout=subprocess.PIPE, check=True).stdout
    return path.read_bytes()


def all_typed(name, path, prefix):
    found = h.run([vedette, 'decode', '-', '--year', '2020'], stdin=lines_of(path))
    types = collections.Counter(json.loads(line)['type'] for line in found.out.splitlines())
    other = {key: count for key, count in types.items() if not key.startswith(prefix)}
    h.check('%s: every event has a type of %s' % (name, prefix), types and not other, repr(other))
    return types


vedette = h.binary()
folder = h.data('data/panther-tests')
if not folder:
    h.skip('no real data: VEDETTE_DATA is not set')
with h.part('panther'):
    panther(folder)
with h.part('streamalert'):
    streamalert(h.data('data/streamalert'))
with h.part('others'):
    data = folder.parent
    all_typed('suricata', data / 'suricata-alerts' / 'eve-alerts.jsonl.gz', 'suricata/alert')
    all_typed('cloudtrail', data / 'cloudtrail-stratus' / 'cloudtrail.jsonl.gz', 'aws/cloudtrail')
    all_typed('nginx', data / 'elastic-examples' / 'nginxplus_status.jsonl.gz', 'web/nginx-status')
    all_typed('windows', data / 'otrf' / 'pool' / 'windows_events_sample.jsonl.gz', 'windows/')
if '--all' in sys.argv:  # minutes: every archive
    with h.part('otrf'):
        events = 0
        for line in (data / 'otrf' / 'index.jsonl').read_text().splitlines():
            path = data / 'otrf' / json.loads(line)['file']
            if path.name.startswith('._'):  # what macOS keeps beside a file in an archive: no log
                continue
            found = h.run([vedette, 'decode', '-', '--year', '2020'], stdin=lines_of(path), timeout=1800)
            types = collections.Counter(json.loads(text)['type'] for text in found.out.splitlines())
            events += sum(types.values())
            h.check('%s: every event has a type' % path.name, types and 'unknown' not in types, repr(types))
        h.note('otrf: %d events' % events)
h.finish()
