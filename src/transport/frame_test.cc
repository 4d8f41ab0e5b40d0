#include "transport/frame.h"

#include <gtest/gtest.h>

#include "attest/collateral/collateral.h"
#include "attest/format/evidence.h"
#include "crypto/random.h"
#include "transport/check.h"

namespace teetee::transport {
namespace {

ByteArray<kFrameHeader> Header(uint32_t size, uint8_t type) {
  return EncodeFrameHeader({size, type});
}

TEST(FrameHeader, RefusesSizesBeyondTheBoundAndUnknownTypes) {
  auto large = DecodeFrameHeader(Header(1001, 16), 1000);
  ASSERT_FALSE(large);
  EXPECT_EQ(RefusedCheckId(large.error()), "channel.frame");
  EXPECT_FALSE(DecodeFrameHeader(Header(0xffffffff, 16), 64u << 20));
  for (uint8_t type : {0, 6, 15})
    EXPECT_FALSE(DecodeFrameHeader(Header(0, type), 1000)) << int{type};
  auto good = DecodeFrameHeader(Header(1000, 255), 1000);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->size, 1000u);
  EXPECT_EQ(good->type, 255);
}

TEST(FrameHeader, IsLittleEndian) {
  auto bytes = Header(0x01020304, 18);
  EXPECT_EQ(ToHex(bytes), "0403020112");
}

AttestMessage Sample() {
  AttestMessage message;
  message.evidence = {1, 2, 3};
  message.collateral = ToBytes(AsBytes("{}"));
  message.signature = crypto::RandomArray<65>();
  return message;
}

TEST(AttestCodec, RefusesEveryCutAndEveryTail) {
  Bytes good = EncodeAttest(Sample());
  ASSERT_TRUE(DecodeAttest(good));
  EXPECT_EQ(*DecodeAttest(good), *DecodeAttest(good));
  for (size_t n = 0; n < good.size(); ++n) {
    auto cut = DecodeAttest(ByteView(good).first(n));
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(RefusedCheckId(cut.error()), "channel.frame");
  }
  good.push_back(0);
  EXPECT_FALSE(DecodeAttest(good));
}

TEST(AttestCodec, RefusesPartsBeyondTheirBound) {
  AttestMessage message = Sample();
  message.evidence.resize(attest::kMaxEvidence + 1);
  EXPECT_FALSE(DecodeAttest(EncodeAttest(message)));
  message = Sample();
  message.collateral.resize(attest::kMaxCollateral + 1);
  EXPECT_FALSE(DecodeAttest(EncodeAttest(message)));
  Bytes huge = {1, 0xff, 0xff, 0xff, 0xff};
  EXPECT_FALSE(DecodeAttest(huge));
}

TEST(AttestCodec, RoundTrips) {
  AttestMessage message = Sample();
  EXPECT_EQ(*DecodeAttest(EncodeAttest(message)), message);
  EXPECT_LE(EncodeAttest(message).size(), MaxControlPayload());
}

TEST(VerdictCodec, RefusesTextThatIsNoCheckId) {
  for (std::string check : {"x\ny", "<b>", "UPPER", ""}) {
    VerdictMessage message{false, check};
    EXPECT_FALSE(DecodeVerdict(EncodeVerdict(message))) << check;
  }
  EXPECT_FALSE(DecodeVerdict(EncodeVerdict({true, "measurement"})));
  EXPECT_FALSE(DecodeVerdict(EncodeVerdict({false, std::string(65, 'a')})));
  EXPECT_FALSE(DecodeVerdict(Bytes{2, 0}));
  EXPECT_FALSE(DecodeVerdict(Bytes{1}));
  auto refused = DecodeVerdict(EncodeVerdict({false, "tdx.debug"}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->check, "tdx.debug");
}

TEST(NonceCodec, RefusesOtherSizesAndVersions) {
  Nonce nonce = crypto::RandomArray<32>();
  Bytes good = EncodeNonce(nonce);
  EXPECT_EQ(*DecodeNonce(good), nonce);
  good[0] = 2;
  EXPECT_FALSE(DecodeNonce(good));
  EXPECT_FALSE(DecodeNonce(ByteView(good).first(32)));
}

// docs/formats/channel.md section 3.
TEST(Frames, AgreeWithTheDocumentsExamples) {
  Bytes ping = ByteWriter().Raw(EncodeFrameHeader({2, kPing})).U8(1).U8(2).Take();
  EXPECT_EQ(ToHex(ping), "02000000040102");
  Bytes verdict = EncodeVerdict({false, "tdx.debug"});
  Bytes frame = ByteWriter()
                    .Raw(EncodeFrameHeader({static_cast<uint32_t>(verdict.size()), kVerdict}))
                    .Raw(verdict)
                    .Take();
  EXPECT_EQ(ToHex(frame), "0b0000000300097464782e6465627567");
}

TEST(RefusedCheckId, TellsTheIdOfTheFirstCheck) {
  EXPECT_EQ(RefusedCheckId(Error(Code::kInternal, "certificate: check tdx.debug: set")),
            "tdx.debug");
  EXPECT_EQ(RefusedCheckId(Error(Code::kInternal, "nothing")), "internal");
  EXPECT_EQ(RefusedCheckId(Error(Code::kInternal, "check NOT an id: x")), "internal");
}

}  // namespace
}  // namespace teetee::transport
