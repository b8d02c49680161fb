#include "decode/netflow_elements.hpp"

#include <charconv>

namespace vedette::decode {
namespace {

/// Names in the order of their numbers; `@N` goes on at N; what follows a colon is the form, a
/// number without it.
constexpr std::string_view kStandard =
    "@1 octetDeltaCount packetDeltaCount deltaFlowCount protocolIdentifier ipClassOfService "
    "tcpControlBits sourceTransportPort sourceIPv4Address:a sourceIPv4PrefixLength "
    "ingressInterface destinationTransportPort destinationIPv4Address:a "
    "destinationIPv4PrefixLength egressInterface ipNextHopIPv4Address:a bgpSourceAsNumber "
    "bgpDestinationAsNumber bgpNextHopIPv4Address:a postMCastPacketDeltaCount "
    "postMCastOctetDeltaCount flowEndSysUpTime flowStartSysUpTime postOctetDeltaCount "
    "postPacketDeltaCount minimumIpTotalLength maximumIpTotalLength sourceIPv6Address:a "
    "destinationIPv6Address:a sourceIPv6PrefixLength destinationIPv6PrefixLength flowLabelIPv6 "
    "icmpTypeCodeIPv4 igmpType samplingInterval samplingAlgorithm flowActiveTimeout "
    "flowIdleTimeout engineType engineId exportedOctetTotalCount exportedMessageTotalCount "
    "exportedFlowRecordTotalCount ipv4RouterSc:a sourceIPv4Prefix:a destinationIPv4Prefix:a "
    "mplsTopLabelType mplsTopLabelIPv4Address:a samplerId samplerMode samplerRandomInterval "
    "classId minimumTTL maximumTTL fragmentIdentification postIpClassOfService "
    "sourceMacAddress:m postDestinationMacAddress:m vlanId postVlanId ipVersion flowDirection "
    "ipNextHopIPv6Address:a bgpNextHopIPv6Address:a ipv6ExtensionHeaders "
    "@70 mplsTopLabelStackSection:o mplsLabelStackSection2:o mplsLabelStackSection3:o "
    "mplsLabelStackSection4:o mplsLabelStackSection5:o mplsLabelStackSection6:o "
    "mplsLabelStackSection7:o mplsLabelStackSection8:o mplsLabelStackSection9:o "
    "mplsLabelStackSection10:o destinationMacAddress:m postSourceMacAddress:m interfaceName:t "
    "interfaceDescription:t samplerName:t octetTotalCount packetTotalCount flagsAndSamplerId "
    "fragmentOffset forwardingStatus mplsVpnRouteDistinguisher:o mplsTopLabelPrefixLength "
    "srcTrafficIndex dstTrafficIndex applicationDescription:t applicationId:p applicationName:t "
    "@98 postIpDiffServCodePoint multicastReplicationFactor className:t classificationEngineId "
    "layer2packetSectionOffset layer2packetSectionSize layer2packetSectionData:o "
    "@128 bgpNextAdjacentAsNumber bgpPrevAdjacentAsNumber exporterIPv4Address:a "
    "exporterIPv6Address:a droppedOctetDeltaCount droppedPacketDeltaCount "
    "droppedOctetTotalCount droppedPacketTotalCount flowEndReason commonPropertiesId "
    "observationPointId icmpTypeCodeIPv6 mplsTopLabelIPv6Address:a lineCardId portId "
    "meteringProcessId exportingProcessId templateId wlanChannelId wlanSSID:t flowId "
    "observationDomainId flowStartSeconds flowEndSeconds flowStartMilliseconds "
    "flowEndMilliseconds flowStartMicroseconds flowEndMicroseconds flowStartNanoseconds "
    "flowEndNanoseconds flowStartDeltaMicroseconds flowEndDeltaMicroseconds "
    "systemInitTimeMilliseconds flowDurationMilliseconds flowDurationMicroseconds "
    "observedFlowTotalCount ignoredPacketTotalCount ignoredOctetTotalCount "
    "notSentFlowTotalCount notSentPacketTotalCount notSentOctetTotalCount "
    "destinationIPv6Prefix:a sourceIPv6Prefix:a postOctetTotalCount postPacketTotalCount "
    "flowKeyIndicator postMCastPacketTotalCount postMCastOctetTotalCount icmpTypeIPv4 "
    "icmpCodeIPv4 icmpTypeIPv6 icmpCodeIPv6 udpSourcePort udpDestinationPort tcpSourcePort "
    "tcpDestinationPort tcpSequenceNumber tcpAcknowledgementNumber tcpWindowSize "
    "tcpUrgentPointer tcpHeaderLength ipHeaderLength totalLengthIPv4 payloadLengthIPv6 ipTTL "
    "nextHeaderIPv6 mplsPayloadLength ipDiffServCodePoint ipPrecedence fragmentFlags "
    "octetDeltaSumOfSquares octetTotalSumOfSquares mplsTopLabelTTL mplsLabelStackLength "
    "mplsLabelStackDepth mplsTopLabelExp ipPayloadLength udpMessageLength isMulticast ipv4IHL "
    "ipv4Options tcpOptions paddingOctets:x collectorIPv4Address:a collectorIPv6Address:a "
    "exportInterface exportProtocolVersion exportTransportProtocol collectorTransportPort "
    "exporterTransportPort tcpSynTotalCount tcpFinTotalCount tcpRstTotalCount tcpPshTotalCount "
    "tcpAckTotalCount tcpUrgTotalCount ipTotalLength postNATSourceIPv4Address:a "
    "postNATDestinationIPv4Address:a postNAPTSourceTransportPort "
    "postNAPTDestinationTransportPort natOriginatingAddressRealm natEvent initiatorOctets "
    "responderOctets firewallEvent ingressVRFID egressVRFID VRFname:t postMplsTopLabelExp "
    "tcpWindowScale biflowDirection ethernetHeaderLength ethernetPayloadLength "
    "ethernetTotalLength dot1qVlanId dot1qPriority dot1qCustomerVlanId dot1qCustomerPriority "
    "metroEvcId:t metroEvcType pseudoWireId pseudoWireType pseudoWireControlWord "
    "ingressPhysicalInterface egressPhysicalInterface postDot1qVlanId postDot1qCustomerVlanId "
    "ethernetType postIpPrecedence collectionTimeMilliseconds exportSctpStreamId "
    "maxExportSeconds maxFlowEndSeconds messageMD5Checksum:o messageScope minExportSeconds "
    "minFlowStartSeconds opaqueOctets:o sessionScope maxFlowEndMicroseconds "
    "maxFlowEndMilliseconds maxFlowEndNanoseconds minFlowStartMicroseconds "
    "minFlowStartMilliseconds minFlowStartNanoseconds collectorCertificate:o "
    "exporterCertificate:o dataRecordsReliability observationPointType "
    "newConnectionDeltaCount connectionSumDurationSeconds connectionTransactionId "
    "postNATSourceIPv6Address:a postNATDestinationIPv6Address:a natPoolId natPoolName:t "
    "anonymizationFlags anonymizationTechnique informationElementIndex p2pTechnology:t "
    "tunnelTechnology:t encryptedTechnology:t basicList:o subTemplateList:o "
    "subTemplateMultiList:o bgpValidityState IPSecSPI greKey natType initiatorPackets "
    "responderPackets observationDomainName:t selectionSequenceId selectorId "
    "informationElementId selectorAlgorithm samplingPacketInterval samplingPacketSpace "
    "samplingTimeInterval samplingTimeSpace samplingSize samplingPopulation "
    "samplingProbability:f dataLinkFrameSize ipHeaderPacketSection:o ipPayloadPacketSection:o "
    "dataLinkFrameSection:o mplsLabelStackSection:o mplsPayloadPacketSection:o "
    "selectorIdTotalPktsObserved selectorIdTotalPktsSelected absoluteError:f relativeError:f "
    "observationTimeSeconds observationTimeMilliseconds observationTimeMicroseconds "
    "observationTimeNanoseconds digestHashValue hashIPPayloadOffset hashIPPayloadSize "
    "hashOutputRangeMin hashOutputRangeMax hashSelectedRangeMin hashSelectedRangeMax "
    "hashDigestOutput hashInitialiserValue selectorName:t upperCILimit:f lowerCILimit:f "
    "confidenceLevel:f informationElementDataType informationElementDescription:t "
    "informationElementName:t informationElementRangeBegin informationElementRangeEnd "
    "informationElementSemantics informationElementUnits privateEnterpriseNumber "
    "virtualStationInterfaceId:o virtualStationInterfaceName:t virtualStationUUID:o "
    "virtualStationName:t layer2SegmentId layer2OctetDeltaCount layer2OctetTotalCount "
    "ingressUnicastPacketTotalCount ingressMulticastPacketTotalCount "
    "ingressBroadcastPacketTotalCount egressUnicastPacketTotalCount "
    "egressBroadcastPacketTotalCount monitoringIntervalStartMilliSeconds "
    "monitoringIntervalEndMilliSeconds portRangeStart portRangeEnd portRangeStepSize "
    "portRangeNumPorts staMacAddress:m staIPv4Address:a wtpMacAddress:m ingressInterfaceType "
    "egressInterfaceType rtpSequenceNumber userName:t applicationCategoryName:t "
    "applicationSubCategoryName:t applicationGroupName:t originalFlowsPresent "
    "originalFlowsInitiated originalFlowsCompleted distinctCountOfSourceIPAddress "
    "distinctCountOfDestinationIPAddress distinctCountOfSourceIPv4Address "
    "distinctCountOfDestinationIPv4Address "
    // Cisco's firewalls use these numbers in NetFlow v9.
    "@33000 ingressAclId:o egressAclId:o extendedFirewallEvent "
    "@40000 userName:t postNATSourceIPv4Address:a postNATDestinationIPv4Address:a "
    "postNAPTSourceTransportPort postNAPTDestinationTransportPort firewallEvent "
    // nProbe's, in NetFlow v9.
    "@57590 nprobeL7Protocol nprobeL7ProtocolName:t";

constexpr std::string_view kScopes =
    "@1 scopeSystem scopeInterface scopeLineCard scopeCache scopeTemplate";

/// IxFlow.
constexpr std::string_view kIxia =
    "@110 ixiaL7AppId ixiaL7AppName:t @120 ixiaSrcCountryCode:t ixiaSrcCountryName:t "
    "ixiaSrcRegionCode:t ixiaSrcRegionName:t @125 ixiaSrcCityName:t ixiaSrcLatitude:f "
    "ixiaSrcLongitude:f @140 ixiaDstCountryCode:t ixiaDstCountryName:t ixiaDstRegionCode:t "
    "ixiaDstRegionName:t @145 ixiaDstCityName:t ixiaDstLatitude:f ixiaDstLongitude:f "
    "@160 ixiaDeviceId ixiaDeviceName:t ixiaBrowserId ixiaBrowserName:t "
    "@176 ixiaRevOctetDeltaCount ixiaRevPacketDeltaCount "
    "@182 ixiaHttpUserAgent:t ixiaHttpHostName:t ixiaHttpUri:t ixiaDnsText:t ixiaSrcAsName:t "
    "ixiaDstAsName:t ixiaLatency ixiaDnsQuery:t ixiaDnsAnswer:t ixiaDnsClasses:t "
    "ixiaThreatType:t ixiaThreatIPv4:a ixiaThreatIPv6:a";

constexpr std::uint32_t kIxiaPen = 3054;
constexpr std::uint32_t kViptelaPen = 41916;
constexpr std::string_view kViptela = "@4321 viptelaVPNId";

constexpr std::size_t kDense = 512;

NetflowElements::Form form_of(char letter) {
  using Form = NetflowElements::Form;
  return letter == 'a'   ? Form::address
         : letter == 'm' ? Form::mac
         : letter == 't' ? Form::text
         : letter == 'o' ? Form::octets
         : letter == 'p' ? Form::application
         : letter == 'x' ? Form::padding
         : letter == 'f' ? Form::floating
                         : Form::number;
}

std::uint64_t key_of(std::uint32_t enterprise, std::uint16_t number) {
  return std::uint64_t{enterprise} << 16 | number;
}

}  // namespace

NetflowElements::NetflowElements(FieldTable& fields) : standard_(kDense), known_(kDense, false) {
  add(fields, 0, kStandard);
  add(fields, kScopePen, kScopes);
  add(fields, kIxiaPen, kIxia);
  add(fields, kViptelaPen, kViptela);
}

void NetflowElements::add(FieldTable& fields, std::uint32_t enterprise, std::string_view list) {
  std::uint16_t number = 0;
  while (!list.empty()) {
    std::size_t const end = std::min(list.find(' '), list.size());
    std::string_view word = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (word.starts_with('@')) {
      std::from_chars(word.data() + 1, word.data() + word.size(), number);
      continue;
    }
    std::size_t const colon = word.find(':');
    Form const form = colon == word.npos ? Form::number : form_of(word[colon + 1]);
    std::string const name(word.substr(0, colon));
    Element const element{fields.intern(name), form};
    if (enterprise == 0 && number < kDense) {
      standard_[number] = element;
      known_[number] = true;
    } else {
      others_[key_of(enterprise, number)] = element;
    }
    if (enterprise == 0 && number < kDense && form != Form::padding) {
      std::string reverse = "reverse" + name;
      reverse[7] = static_cast<char>(reverse[7] & ~0x20);
      others_[key_of(kReversePen, number)] = {fields.intern(reverse), form};
    }
    ++number;
  }
}

NetflowElements::Element const* NetflowElements::find(std::uint32_t enterprise,
                                                      std::uint16_t number) const {
  if (enterprise == 0 && number < kDense) {
    return known_[number] ? &standard_[number] : nullptr;
  }
  auto const found = others_.find(key_of(enterprise, number));
  return found == others_.end() ? nullptr : &found->second;
}

std::string NetflowElements::name_of(std::uint32_t enterprise, std::uint16_t number) {
  std::string const digits = std::to_string(number);
  return enterprise == 0           ? "element_" + digits
         : enterprise == kScopePen ? "scope_" + digits
                                   : "element_" + std::to_string(enterprise) + '_' + digits;
}

}  // namespace vedette::decode
