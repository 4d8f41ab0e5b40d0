#include "net/egress.h"

#include <gtest/gtest.h>

#include "net/testing/run.h"

namespace teetee::net {
namespace {

TEST(Egress, RefusesEveryAddressThatIsNotPublicUnicast) {
  for (const char* address :
       {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.7", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
        "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "100::1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2001::1", "2001:10::1", "2001:db8::1",
        "2002:7f00:1::", "3fff::1", "4000::1", "e000::1"}) {
    EXPECT_EQ(CheckEgress(address, Egress::kPublic).error().code(), Code::kPermissionDenied) << address;
  }
}

TEST(Egress, RefusesWhatIsNoCanonicalAddress) {
  for (const char* address : {"", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3.4.5", "1.2.3", " 1.2.3.4",
                              "1.2.3.4 ", "fe80::1%eth0", "[::1]", "::ffff:1.2.3", "8.8.8.8:80"}) {
    EXPECT_FALSE(CheckEgress(address, Egress::kLoopback)) << address;
  }
}

TEST(Egress, LoopbackIsForTheDevelopmentChainOnlyAndNothingElseIs) {
  for (const char* address : {"127.0.0.1", "127.200.0.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(CheckEgress(address, Egress::kLoopback)) << address;
    EXPECT_FALSE(CheckEgress(address, Egress::kPublic)) << address;
  }
  for (const char* address : {"10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::", "fd00::1", "fe80::1"})
    EXPECT_FALSE(CheckEgress(address, Egress::kLoopback)) << address;
}

TEST(Egress, ChannelsUnderSimulatedEvidenceMayStayInside) {
  for (const char* address : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"})
    EXPECT_TRUE(CheckEgress(address, Egress::kInside)) << address;
  for (const char* address : {"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "192.0.2.7"})
    EXPECT_FALSE(CheckEgress(address, Egress::kInside)) << address;
}

TEST(Egress, PublicAddressesPassAlsoAtTheEdges) {
  for (const char* address : {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
                              "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255",
                              "198.20.0.0", "223.255.255.255", "2001:4860:4860::8888", "2a00::1", "2600::1", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(CheckEgress(address, Egress::kPublic)) << address;
  }
}

TEST(NodeBaseUrl, RefusesHostsThatAreNumbersInDisguise) {
  for (const char* url : {"http://0x7f.1/", "http://2130706433/", "http://017700000001/", "http://127.1/", "http://1.2.3/",
                          "http://0x7f000001:9100", "http://a.0x1/", "http://1.2.3.4.5/", "http://127.0.0.1./", "http://10.1."}) {
    EXPECT_FALSE(NodeBaseUrl(url)) << url;
  }
  for (const char* url : {"http://127.0.0.1:9100", "http://node1.example", "http://[::1]:9100", "http://7.example", "http://face"})
    EXPECT_TRUE(NodeBaseUrl(url)) << url;
}

TEST(Egress, TheRuleIsAskedAboutTheAddressThatANameLeadsTo) {
  IoContext io(1);
  auto listener = TcpListener::Listen(io, "127.0.0.1:0");
  ASSERT_TRUE(listener);
  const std::string port = std::to_string((*listener)->port());
  auto body = [&]() -> Task<void> {
    auto refused = co_await TcpStream::Connect("localhost:" + port, Millis(2000), EgressRule(Egress::kPublic));
    CO_ASSERT_TRUE(!refused);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
    auto allowed = co_await TcpStream::Connect("localhost:" + port, Millis(2000), EgressRule(Egress::kLoopback));
    EXPECT_TRUE(allowed.has_value());
  };
  testing::RunTask(io, body());
}

}  // namespace
}  // namespace teetee::net
