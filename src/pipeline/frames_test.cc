#include "pipeline/frames.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "crypto/random.h"
#include "pipeline/open.h"

namespace teetee::pipeline {
namespace {

FrameHead Head() { return {crypto::RandomArray<16>(), 3}; }

ActFrame Act() { return {Head(), 77, 2, 3, Sampling::kLast, 5, {1, -2.5f, 0x1p-149f, -0.0f, 3e38f, 4}}; }
Bytes ActWith(float value) {
  ActFrame act = Act();
  act.x[4] = value;
  return Serialize(act);
}

// Every shorter and every longer form is refused.
template <class Parse>
void ExpectExactLength(const Bytes& good, Parse parse) {
  ASSERT_TRUE(parse(ByteView(good)));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse(ByteView(good).first(size))) << size;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(parse(ByteView(longer)));
}

Bytes With(Bytes bytes, size_t at, uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}

TEST(ActFrames, ComeBackBitForBit) {
  const Bytes bytes = Serialize(Act());
  auto parsed = ParseAct(bytes, 3, 2);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(Serialize(*parsed), bytes);
  EXPECT_EQ(parsed->sample, Sampling::kLast);
  EXPECT_EQ(parsed->group, 5);
  EXPECT_EQ(parsed->position, 77u);
  EXPECT_EQ(parsed->head.generation, 3u);
  EXPECT_EQ(std::bit_cast<uint32_t>(parsed->x[3]), 0x80000000u);
  EXPECT_EQ(bytes.size(), 20u + 8 + 4 + 4 + 1 + 3 + 6 * 4);
}

TEST(ActFrames, RefuseWhatIsNotThisModelsOrNotFinite) {
  auto parse = [](ByteView bytes) { return ParseAct(bytes, 3, 2).has_value(); };
  ExpectExactLength(Serialize(Act()), parse);
  EXPECT_FALSE(ParseAct(Serialize(Act()), 2, 2));
  EXPECT_FALSE(ParseAct(Serialize(Act()), 6, 2));
  EXPECT_FALSE(ParseAct(Serialize(Act()), 3, 1));
  ActFrame none = Act();
  none.rows = 0;
  none.x.clear();
  EXPECT_FALSE(parse(Serialize(none)));
  using Limits = std::numeric_limits<float>;
  for (float bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::signaling_NaN()}) {
    EXPECT_FALSE(parse(ActWith(bad)));
  }
  EXPECT_TRUE(parse(ActWith(Limits::max())));
  const size_t flags = 20 + 8 + 4 + 4;
  EXPECT_TRUE(parse(With(Serialize(Act()), flags, 2)));
  EXPECT_FALSE(parse(With(Serialize(Act()), flags, 3)));
  for (size_t i = 2; i <= 3; ++i) EXPECT_FALSE(parse(With(Serialize(Act()), flags + i, 1))) << i;
}

TEST(ActFrames, HugeSizesTakeNoMemory) {
  ByteWriter writer;
  WriteHead(writer, Head());
  writer.U64Le(0).U32Le(0xffffffff).U32Le(0xffffffff).U8(0).Zeros(3);
  EXPECT_FALSE(ParseAct(writer.bytes(), 0xffffffff, 0xffffffff));
}

TEST(ActFrames, DraftsAreShort) {
  ActFrame act = Act();
  act.sample = Sampling::kEach;
  act.rows = kMaxDraftRows;
  act.x.assign(size_t{3} * kMaxDraftRows, 1.0f);
  EXPECT_TRUE(ParseAct(Serialize(act), 3, 100));
  act.rows += 1;
  act.x.resize(act.x.size() + 3);
  EXPECT_FALSE(ParseAct(Serialize(act), 3, 100));
}

TEST(BatchFrames, RoundTripAndRefusals) {
  const Bytes good = SerializeBatch({{kAct, Serialize(Act())}, {kToken, {}}, {kClose, Bytes(3)}});
  ExpectExactLength(good, [](ByteView bytes) { return ParseBatch(bytes).has_value(); });
  auto parsed = ParseBatch(good);
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ(SerializeBatch(*parsed), good);
  EXPECT_FALSE(ParseBatch(SerializeBatch({})));
  EXPECT_FALSE(ParseBatch(SerializeBatch({{kBatch, {}}}))) << "one inside another";
  EXPECT_FALSE(ParseBatch(SerializeBatch(std::vector<BatchEntry>(kMaxBatchFrames + 1))));
  EXPECT_FALSE(ParseBatch(ByteWriter().U32Le(1000).U8(kAct).U32Le(0xffffffff).bytes()));
}

TEST(TokenFrames, RoundTripAndRefusals) {
  TokenFrame token{Head(), 9, 31, -0.25f, {{31, -0.25f}, {4, -7.0f}}};
  auto parse = [](ByteView bytes) { return ParseToken(bytes).has_value(); };
  const Bytes good = Serialize(token);
  ExpectExactLength(good, parse);
  EXPECT_EQ(Serialize(*ParseToken(good)), good);
  const size_t count = 20 + 8 + 4 + 4;
  EXPECT_FALSE(parse(With(good, count, 1)));
  EXPECT_FALSE(parse(With(good, count, 3)));
  for (size_t i = 1; i <= 3; ++i) EXPECT_FALSE(parse(With(good, count + i, 1)));
  token.top.resize(kMaxAlternatives);
  EXPECT_TRUE(parse(Serialize(token)));
  token.top.resize(kMaxAlternatives + 1);
  EXPECT_FALSE(parse(Serialize(token)));
}

TEST(WorkFrames, RoundTripAndRefusals) {
  WorkFrame work{Head(), 5, 6, 7, ProofKind::kPart, chain::Uint128{9} << 100, crypto::RandomArray<64>(), crypto::RandomArray<32>()};
  for (bool closed : {false, true}) {
    const Bytes good = Serialize(work, closed);
    ExpectExactLength(good, [&](ByteView bytes) { return ParseWork(bytes, closed).has_value(); });
    auto parsed = ParseWork(good, closed);
    EXPECT_EQ(Serialize(*parsed, closed), good);
    EXPECT_TRUE(parsed->total == work.total);
    EXPECT_FALSE(ParseWork(good, !closed));
    const size_t kind = 20 + 24;
    EXPECT_FALSE(ParseWork(With(good, kind, 3), closed));
    for (size_t i = 1; i <= 7; ++i) EXPECT_FALSE(ParseWork(With(good, kind + i, 1), closed));
  }
}

TEST(CloseAndErrorFrames, RoundTripAndRefusals) {
  const Bytes close = Serialize(CloseFrame{Head(), CloseReason::kFailure, 9, {PrefixKey{1}, PrefixKey{2}}});
  ExpectExactLength(close, [](ByteView bytes) { return ParseClose(bytes).has_value(); });
  EXPECT_EQ(ParseClose(close)->reason, CloseReason::kFailure);
  EXPECT_FALSE(ParseClose(With(close, 20, 3)));
  EXPECT_EQ(Serialize(*ParseClose(close)), close);
  CloseFrame many{Head(), CloseReason::kEnd, 1, std::vector<PrefixKey>(kMaxPrefixKeys)};
  EXPECT_TRUE(ParseClose(Serialize(many)));
  many.keep.emplace_back();
  EXPECT_FALSE(ParseClose(Serialize(many)));

  const Bytes ok = Serialize(OpenOkFrame{Head(), 128});
  ExpectExactLength(ok, [](ByteView bytes) { return ParseOpenOk(bytes).has_value(); });
  EXPECT_EQ(ParseOpenOk(ok)->cached, 128u);

  const Bytes error = Serialize(ErrorFrame{Head(), Code::kDataLoss, "why"});
  ExpectExactLength(error, [](ByteView bytes) { return ParseError(bytes).has_value(); });
  EXPECT_EQ(ParseError(error)->code, Code::kDataLoss);
  EXPECT_EQ(ParseError(error)->text, "why");
  EXPECT_FALSE(ParseError(With(error, 20, 0)));
  EXPECT_FALSE(ParseError(With(error, 20, static_cast<uint8_t>(Code::kInternal) + 1)));
  ErrorFrame longer{Head(), Code::kInternal, std::string(5000, 'x')};
  EXPECT_EQ(ParseError(Serialize(longer))->text.size(), 1024u);
  ByteWriter forged;
  WriteHead(forged, Head());
  forged.U8(1).U16Le(1025).Raw(std::string(1025, 'x'));
  EXPECT_FALSE(ParseError(forged.bytes()));
}

// ---------------------------------------------------------------- OPEN

OpenFrame Open() {
  OpenFrame open;
  open.head = Head();
  open.stream = 4;
  open.prompt_tokens = 3;
  open.max_positions = 40;
  open.deadline_ms = 1000;
  open.plan.model = crypto::RandomArray<32>();
  open.plan.policy = crypto::RandomArray<32>();
  open.plan.nodes = {{0, crypto::RandomArray<20>(), "a:1"}, {1, crypto::RandomArray<20>(), "b:2"}};
  open.commit = crypto::RandomArray<32>();
  open.line = crypto::RandomArray<32>();
  open.query = crypto::RandomArray<32>();
  open.mode = PayMode::kStrict;
  open.prompt_ids = {1, 0, 0xffffffff};
  SamplingSpec spec;
  spec.settings.temperature = 0.1f;
  spec.settings.top_k = 7;
  spec.settings.top_p = 0.1;
  spec.settings.min_p = 1e-17;
  spec.settings.repetition_penalty = 1.1f;
  spec.settings.frequency_penalty = -0.3f;
  spec.settings.presence_penalty = std::nextafter(0.7f, 1.0f);
  spec.settings.seed = 0xffffffffffffffff;
  spec.settings.logit_bias = {{5, -99.9f}, {6, 0x1p-149f}};
  spec.logprobs = true;
  spec.top_logprobs = 20;
  open.sampler = spec;
  return open;
}

// The frame with one member changed or, for a null, left out.
Bytes OpenWith(std::string_view key, const Json& value) {
  OpenFrame open = Open();
  const Bytes bytes = Serialize(open);
  Json json = *Json::Parse(AsText(ByteView(bytes).subspan(20)));
  Json changed = Json::MakeObject();
  for (const auto& [name, member] : json.as_object()) {
    if (name != key) changed.Set(name, member);
  }
  if (!value.is_null()) changed.Set(std::string(key), value);
  ByteWriter writer;
  WriteHead(writer, open.head);
  return writer.Raw(changed.Dump()).Take();
}

TEST(OpenFrames, FloatsComeBackBitForBit) {
  const OpenFrame open = Open();
  const Bytes bytes = Serialize(open);
  auto parsed = ParseOpen(bytes, 40);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(Serialize(*parsed), bytes);
  const auto& a = open.sampler->settings;
  const auto& b = parsed->sampler->settings;
  auto same = [](auto x, auto y) { return std::memcmp(&x, &y, sizeof x) == 0; };
  EXPECT_TRUE(same(a.temperature, b.temperature) && same(a.top_p, b.top_p) && same(a.min_p, b.min_p));
  EXPECT_TRUE(same(a.repetition_penalty, b.repetition_penalty) && same(a.frequency_penalty, b.frequency_penalty));
  EXPECT_TRUE(same(a.presence_penalty, b.presence_penalty));
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.logit_bias, b.logit_bias);
  EXPECT_EQ(parsed->prompt_ids, open.prompt_ids);
  EXPECT_EQ(parsed->plan, open.plan);
  EXPECT_EQ(parsed->mode, PayMode::kStrict);
}

TEST(OpenFrames, EveryRandomFloatComesBack) {
  for (int i = 0; i < 2000; ++i) {
    uint32_t bits = 0;
    crypto::RandomBytes(reinterpret_cast<uint8_t*>(&bits), sizeof bits);
    SamplingSpec spec;
    spec.settings.temperature = std::bit_cast<float>(bits);
    if (!(spec.settings.temperature - spec.settings.temperature == 0)) continue;  // not finite
    auto text = Json::Parse(SamplerJson(spec).Dump());
    ASSERT_TRUE(text);
    auto back = SamplerFromJson(*text);
    ASSERT_TRUE(back) << bits;
    EXPECT_EQ(std::bit_cast<uint32_t>(back->settings.temperature), bits);
  }
}

TEST(OpenFrames, RefuseMissingWrongAndUnboundedMembers) {
  const Json sampler = SamplerJson(*Open().sampler);
  for (const char* key : {"stream", "prompt_tokens", "max_positions", "deadline_ms", "plan", "commit", "line", "mode", "query"}) {
    EXPECT_FALSE(ParseOpen(OpenWith(key, Json()), 40)) << key;
    EXPECT_FALSE(ParseOpen(OpenWith(key, Json(true)), 40)) << key;
  }
  EXPECT_TRUE(ParseOpen(OpenWith("max_positions", 40), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("max_positions", 41), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("prompt_tokens", 41), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("prompt_tokens", 2), 40)) << "fewer than prompt_ids";
  EXPECT_FALSE(ParseOpen(OpenWith("deadline_ms", 12 * 3600 * 1000 + 1), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("mode", "gratis"), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("commit", std::string(62, 'a')), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("prompt_ids", *Json::Parse("[1,2,4294967296]")), 40));
  EXPECT_FALSE(ParseOpen(OpenWith("prompt_ids", *Json::Parse("[1,2,-1]")), 40));
  auto with_sampler = [&](std::string key, Json value) {
    Json changed = sampler;
    changed.Set(std::move(key), std::move(value));
    return ParseOpen(OpenWith("sampler", changed), 40).has_value();
  };
  EXPECT_TRUE(with_sampler("seed", "1"));
  EXPECT_FALSE(with_sampler("seed", "18446744073709551616"));
  EXPECT_FALSE(with_sampler("seed", 1));
  EXPECT_FALSE(with_sampler("temperature", "0.5"));
  EXPECT_FALSE(with_sampler("top_logprobs", 21));
  EXPECT_FALSE(with_sampler("logit_bias", *Json::Parse("[[1]]")));
  EXPECT_FALSE(with_sampler("logit_bias", *Json::Parse("[[2147483648,0]]")));
  EXPECT_FALSE(ParseOpen(Serialize(Open()), 39));
}

TEST(OpenFrames, RefuseCutAndOversizedText) {
  const Bytes good = Serialize(Open());
  for (size_t size = 0; size < good.size(); size += 7) EXPECT_FALSE(ParseOpen(ByteView(good).first(size), 40)) << size;
  Bytes padded = good;
  padded.resize((1u << 20) + 21, ' ');
  EXPECT_FALSE(ParseOpen(padded, 40));
  padded.resize(good.size() + 10);
  EXPECT_TRUE(ParseOpen(padded, 40));
}

}  // namespace
}  // namespace teetee::pipeline
