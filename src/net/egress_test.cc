#include "net/egress.h"

#include <gtest/gtest.h>

#include "net/testing/run.h"

namespace teetee::net {
namespace {

using testing::RunTask;

bool May(const char* address, Egress egress) {
  return MayDial(boost::asio::ip::make_address(address), egress);
}

TEST(Egress, NobodysAddressesAreForOurOwnConfigurationOnly) {
  for (const char* address :
       {"0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.1", "192.0.2.7", "198.18.0.1",
        "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1",
        "ff02::1", "100::1", "2001:db8::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1"}) {
    EXPECT_FALSE(May(address, Egress::kPublic)) << address;
    EXPECT_FALSE(May(address, Egress::kDevelopment)) << address;
    EXPECT_TRUE(May(address, Egress::kAnywhere)) << address;
  }
}

TEST(Egress, InsideIsForDevelopmentOnly) {
  for (const char* address :
       {"127.0.0.1", "127.255.1.2", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "100.64.0.1", "::1", "fd00::1", "fc12::1", "::ffff:127.0.0.1", "::ffff:10.1.1.1",
        "64:ff9b::7f00:1"}) {
    EXPECT_FALSE(May(address, Egress::kPublic)) << address;
    EXPECT_TRUE(May(address, Egress::kDevelopment)) << address;
  }
}

TEST(Egress, PublicIsForAll) {
  for (const char* address : {"1.1.1.1", "11.0.0.1", "126.255.255.255", "128.0.0.1", "172.15.0.1",
                              "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1", "223.1.1.1",
                              "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    EXPECT_TRUE(May(address, Egress::kPublic)) << address;
    EXPECT_TRUE(May(address, Egress::kDevelopment)) << address;
  }
}

TEST(Egress, AddressesInTextAreJudgedAsNumbers) {
  IoContext io;
  auto body = [&]() -> Task<void> {
    for (std::string inside : {"127.0.0.1:80", "localhost:80", "[::ffff:127.0.0.1]:80", "[::1]:80"}) {
      auto refused = co_await AllowedAddress(inside, Egress::kPublic);
      EXPECT_FALSE(refused) << inside;
      if (refused) continue;
      EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
      EXPECT_NE(refused.error().message().find("check egress"), std::string::npos);
    }
    auto local = co_await AllowedAddress("localhost:80", Egress::kDevelopment);
    CO_ASSERT_OK(local);
    EXPECT_EQ(*local, "127.0.0.1:80");
    auto six = co_await AllowedAddress("[2606:4700::1111]:443", Egress::kPublic);
    CO_ASSERT_OK(six);
    EXPECT_EQ(*six, "[2606:4700::1111]:443");
    auto own = co_await AllowedAddress("anything at all", Egress::kAnywhere);
    EXPECT_TRUE(own);
    auto bad = co_await AllowedAddress("1.1.1.1", Egress::kPublic);
    EXPECT_FALSE(bad) << "no port";
  };
  RunTask(io, body());
}

}  // namespace
}  // namespace teetee::net
