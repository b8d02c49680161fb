#!/usr/bin/python3
"""Writes the cloud's half of the incident: what CloudTrail would have delivered of it.

Nothing of this was recorded from AWS. record.sh says when the group was opened and closed (lines `WORD SECONDS`, standard
input); this script tells the same story in the form of CloudTrail's files, {"Records":[...]} on one line, with everyday
calls around it. Accounts, keys and addresses are those that documentation uses. The same times give the same file.

usage: cloudtrail.py <TIMES >cloudtrail.json
"""
import datetime
import json
import random
import sys
import uuid

ACCOUNT = '111122223333'
REGION = 'eu-central-1'
GROUP = 'sg-0a1b2c3d4e5f60718'
RULE = 'sgr-0f1e2d3c4b5a69788'
INSTANCE = 'i-0123456789abcdef0'
BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
CLI = 'aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8 md/prompt#off command#ec2.'
SDK = 'Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8'
ANN, BEN, CAROL, CI = '198.51.100.20', '198.51.100.31', '198.51.100.44', '203.0.113.77'
OPEN = {'ipProtocol': 'tcp', 'fromPort': 22, 'toPort': 22, 'groups': {},
        'ipRanges': {'items': [{'cidrIp': '0.0.0.0/0', 'description': 'supplier, until noon'}]},
        'ipv6Ranges': {}, 'prefixListIds': {}}
OFFICE = {'ipProtocol': 'tcp', 'fromPort': 443, 'toPort': 443, 'groups': {},
          'ipRanges': {'items': [{'cidrIp': '192.0.2.0/24', 'description': 'office'}]},
          'ipv6Ranges': {}, 'prefixListIds': {}}

dice = random.Random(4)


def some_id():
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def user(name):
    return {'type': 'IAMUser', 'principalId': 'AIDACKCEVSQ6C2EXAMPLE', 'arn': f'arn:aws:iam::{ACCOUNT}:user/{name}',
            'accountId': ACCOUNT, 'accessKeyId': 'AKIAIOSFODNN7EXAMPLE', 'userName': name}


def role(name, session, since, second_factor):
    return {'type': 'AssumedRole', 'principalId': f'AROACKCEVSQ6C2EXAMPLE:{session}',
            'arn': f'arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}', 'accountId': ACCOUNT,
            'accessKeyId': 'ASIAIOSFODNN7EXAMPLE',
            'sessionContext': {
                'sessionIssuer': {'type': 'Role', 'principalId': 'AROACKCEVSQ6C2EXAMPLE',
                                  'arn': f'arn:aws:iam::{ACCOUNT}:role/{name}', 'accountId': ACCOUNT, 'userName': name},
                'attributes': {'creationDate': stamp(since), 'mfaAuthenticated': 'true' if second_factor else 'false'}}}


def call(at, who, service, name, address, agent, asked=None, answered=None, reads=True, **more):
    request = some_id()
    record = {'eventVersion': '1.11', 'userIdentity': who, 'eventTime': stamp(at), 'eventSource': f'{service}.amazonaws.com',
              'eventName': name, 'awsRegion': REGION, 'sourceIPAddress': address, 'userAgent': agent}
    record.update({key: more.pop(key) for key in ('errorCode', 'errorMessage') if key in more})
    if isinstance(answered, dict) and service == 'ec2':
        answered = {'requestId': request, **answered}
    record.update({'requestParameters': asked, 'responseElements': answered})
    record.update(more)
    record.update({'requestID': request, 'eventID': some_id(), 'readOnly': reads, 'eventType': 'AwsApiCall',
                   'managementEvent': True, 'recipientAccountId': ACCOUNT, 'eventCategory': 'Management',
                   'tlsDetails': {'tlsVersion': 'TLSv1.3', 'cipherSuite': 'TLS_AES_128_GCM_SHA256',
                                  'clientProvidedHostHeader': f'{service}.{REGION}.amazonaws.com'}})
    return at, record


def login(at, name, address):
    at, record = call(at, user(name), 'signin', 'ConsoleLogin', address, BROWSER, None, {'ConsoleLogin': 'Success'}, False,
                      additionalEventData={'LoginTo': 'https://console.aws.amazon.com/console/home', 'MobileVersion': 'No',
                                           'MFAIdentifier': f'arn:aws:iam::{ACCOUNT}:mfa/{name}', 'MFAUsed': 'Yes'})
    del record['userIdentity']['accessKeyId'], record['requestID']
    record['eventType'] = 'AwsConsoleSignIn'
    return at, record


def assume(at, name, session, address, agent, who):
    return call(at, who, 'sts', 'AssumeRole', address, agent,
                {'roleArn': f'arn:aws:iam::{ACCOUNT}:role/{name}', 'roleSessionName': session},
                {'credentials': {'accessKeyId': 'ASIAIOSFODNN7EXAMPLE', 'expiration': stamp(at + 3600)},
                 'assumedRoleUser': {'assumedRoleId': f'AROACKCEVSQ6C2EXAMPLE:{session}',
                                     'arn': f'arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}'}})


def story(t):
    """(time, record) of everything that happens, from the times of record.sh."""
    group = {'securityGroupIdSet': {'items': [{'groupId': GROUP}]}, 'filterSet': {}}
    yield login(t['begin'] + 2, 'ann', ANN)
    yield assume(t['begin'] + 9, 'netops', 'ann', ANN, BROWSER, user('ann'))
    ann = role('netops', 'ann', t['begin'] + 9, True)
    yield call(t['begin'] + 12, ann, 'ec2', 'DescribeSecurityGroups', ANN, BROWSER, {'securityGroupSet': {}, 'filterSet': {}})
    # An everyday change: one network, for the web.
    yield call(t['begin'] + 24, ann, 'ec2', 'AuthorizeSecurityGroupIngress', ANN, BROWSER,
               {'groupId': 'sg-0718a1b2c3d4e5f60', 'ipPermissions': {'items': [OFFICE]}}, {'_return': True}, False)
    yield call(t['opened'] - 6, ann, 'ec2', 'DescribeSecurityGroups', ANN, BROWSER, group)
    yield call(t['opened'], ann, 'ec2', 'AuthorizeSecurityGroupIngress', ANN, BROWSER,
               {'groupId': GROUP, 'ipPermissions': {'items': [OPEN]}},
               {'_return': True, 'securityGroupRuleSet': {'items': [
                   {'groupOwnerId': ACCOUNT, 'groupId': GROUP, 'securityGroupRuleId': RULE, 'description': 'supplier, until noon',
                    'isEgress': False, 'ipProtocol': 'tcp', 'fromPort': 22, 'toPort': 22, 'cidrIpv4': '0.0.0.0/0'}]}}, False)
    # Reading, refused once.
    yield call(t['opened'] + 33, user('carol'), 's3', 'ListBuckets', CAROL, SDK)
    yield call(t['opened'] + 36, user('carol'), 'cloudtrail', 'DescribeTrails', CAROL, SDK, errorCode='AccessDenied',
               errorMessage=f'User: arn:aws:iam::{ACCOUNT}:user/carol is not authorized to perform: cloudtrail:DescribeTrails')
    # Somebody saw it in the log of the host.
    yield assume(t['noticed'] + 3, 'netops', 'ben', BEN, CLI + 'assume-role', user('ben'))
    ben = role('netops', 'ben', t['noticed'] + 3, False)
    yield call(t['closed'] - 5, ben, 'ec2', 'DescribeSecurityGroups', BEN, CLI + 'describe-security-groups', group)
    yield call(t['closed'], ben, 'ec2', 'RevokeSecurityGroupIngress', BEN, CLI + 'revoke-security-group-ingress',
               {'groupId': GROUP, 'ipPermissions': {'items': [OPEN]}}, {'_return': True}, False)
    yield call(t['closed'] + 4, ben, 'ec2', 'DescribeSecurityGroups', BEN, CLI + 'describe-security-groups', group)
    # A program that looks after the machines, all the time.
    at = t['begin'] + 5
    yield assume(at - 1, 'deploy', 'pipeline', CI, SDK, user('ci'))
    while at < t['end']:
        yield call(at, role('deploy', 'pipeline', t['begin'] + 4, False), 'ec2', 'DescribeInstances', CI, SDK,
                   {'instancesSet': {'items': [{'instanceId': INSTANCE}]}, 'filterSet': {}})
        at += dice.randint(17, 23)


def main():
    times = {word: int(seconds) for word, seconds in (line.split() for line in sys.stdin if line.strip())}
    # CloudTrail does not promise an order, and keeps none.
    records = sorted(story(times), key=lambda pair: pair[0] + dice.randint(0, 20))
    sys.stdout.write(json.dumps({'Records': [record for _, record in records]}, separators=(',', ':')))


if __name__ == '__main__':
    main()
