#include "manifest/manifest.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "crypto/hash.h"

namespace teetee::manifest {
namespace {

Tensor MakeTensor(std::string name, uint64_t n) {
  Tensor out{std::move(name), "F32", {n}, n * 4, {}};
  out.sha256 = crypto::Sha256(AsBytes(out.name));
  return out;
}

Slot MakeSlot(const Manifest& manifest, uint64_t first, uint64_t count,
              std::vector<std::string> names) {
  Slot out;
  out.first_block = first;
  out.block_count = out.share = count;
  std::vector<Tensor> own;
  for (const std::string& name : names) own.push_back(**manifest.FindTensor(name));
  out.tensors = std::move(names);
  out.weights_root = WeightsRoot(own);
  out.file = "slot-" + std::to_string(first) + ".gguf";
  out.file_bytes = 1000 + first;
  out.file_sha256 = crypto::Sha256(AsBytes(out.file));
  return out;
}

// Two slots over three blocks; the tied embedding is in both. The document's worked example is this
// one.
Manifest Example() {
  Manifest m;
  m.name = "tiny";
  m.config = {{"architecture", "llama"}, {"n_layers", "3"}, {"norm_eps", "0x3727c5ac"}};
  m.tokenizer_sha256 = crypto::Sha256(AsBytes("tokenizer"));
  m.tensors = {MakeTensor("blk.0.w", 2), MakeTensor("blk.1.w", 3), MakeTensor("blk.2.w", 4),
               MakeTensor("output_norm.weight", 5), MakeTensor("token_embd.weight", 6)};
  m.tensors_root = WeightsRoot(m.tensors);
  m.slots = {MakeSlot(m, 0, 2, {"blk.0.w", "blk.1.w", "token_embd.weight"}),
             MakeSlot(m, 2, 1, {"blk.2.w", "output_norm.weight", "token_embd.weight"})};
  m.slots[0].kats = {{.seed = 7, .n_tokens = 4, .output_sha256 = crypto::Sha256(AsBytes("out"))}};
  return m;
}

void ExpectBroken(const Manifest& m, std::string_view words) {
  auto status = m.Check();
  ASSERT_FALSE(status) << "accepted; expected: " << words;
  EXPECT_NE(status.error().message().find(words), std::string::npos) << status.error().message();
  EXPECT_FALSE(m.Serialise());
}

TEST(Manifest, ChecksEveryRelation) {
  ASSERT_TRUE(Example().Check());
  Manifest m = Example();
  m.slots[1].first_block = 1;
  ExpectBroken(m, "slot 1: does not begin");
  m = Example();
  m.slots[1].block_count = m.slots[1].share = 2;
  ExpectBroken(m, "do not cover all blocks");
  m = Example();
  m.slots[0].share = 1;
  ExpectBroken(m, "share");
  m = Example();
  m.slots.clear();
  ExpectBroken(m, "0 slots");
  m = Example();
  m.tensors[1].sha256[0] ^= 1;
  ExpectBroken(m, "tensors_root");
  m = Example();
  m.tensors_root[31] ^= 1;
  ExpectBroken(m, "tensors_root");
  m = Example();
  m.slots[1].weights_root[0] ^= 1;
  ExpectBroken(m, "slot 1: weights_root");
  m = Example();
  m.slots[1].tensors[0] = "blk.9.w";
  ExpectBroken(m, "that the model has not");
  m = Example();
  std::swap(m.slots[0].tensors[0], m.slots[0].tensors[1]);
  ExpectBroken(m, "not sorted");
  m = Example();
  m.slots[1] = MakeSlot(m, 2, 1, {"blk.2.w", "token_embd.weight"});
  ExpectBroken(m, "a tensor is in no slot");
  m = Example();
  std::swap(m.tensors[0], m.tensors[1]);
  ExpectBroken(m, "not sorted");
  m = Example();
  m.slots[1].file = m.slots[0].file;
  ExpectBroken(m, "same file");
  for (const char* file : {"", "../x", "a/b", ".hidden", "a\\b"}) {
    m = Example();
    m.slots[0].file = file;
    ExpectBroken(m, "plain file name");
  }
  for (const char* layers : {"", "0", "03", "+3", "3.0", "-1", "513", "99999999999999999999"}) {
    m = Example();
    m.config["n_layers"] = layers;
    ExpectBroken(m, "n_layers");
  }
  m = Example();
  m.slots[0].kats[0].n_tokens = 0;
  ExpectBroken(m, "n_tokens");
  m = Example();
  m.name = "a\nb";
  ExpectBroken(m, "name");
}

TEST(Manifest, RefusesEveryOtherSpelling) {
  const Bytes good = *Example().Serialise();
  const std::string text(AsText(good));
  ASSERT_TRUE(Manifest::Parse(AsBytes(text)));
  auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return out.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {text + "\n", " " + text, replaced("\"n_tokens\":4", "\"n_tokens\":4.0"),
        replaced("\"n_tokens\":4", "\"n_tokens\": 4"),
        replaced("\"version\":1", "\"version\":1,\"x\":1"),
        replaced("\"version\":1", "\"version\":2"), replaced("\"profile\":1", "\"profile\":2"),
        replaced("\"name\":\"tiny\"", "\"name\":\"\\u0074iny\""),
        replaced("0x3727c5ac", "0x3727\\u00e9"), replaced("\"seed\":\"0x", "\"seed\":\"0X"),
        replaced("\"dims\":[2]", "\"dims\":[-2]"), replaced("\"dims\":[2]", "\"dims\":2"),
        replaced("\"kats\":[]", "\"kats\":{}"), replaced("\"share\":1,", ""), std::string("{}"),
        std::string("[]"), std::string()}) {
    EXPECT_FALSE(Manifest::Parse(AsBytes(bad))) << bad.substr(0, 120);
  }
}

TEST(Manifest, RefusesEveryFlippedBitAndEveryPrefix) {
  Bytes good = *Example().Serialise();
  const Manifest original = *Manifest::Parse(good);
  const Hash32 hash = ManifestHash(good);
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(Manifest::Parse(ByteView(good).first(i)));
    Bytes flipped = good;
    flipped[i] ^= 1;
    EXPECT_NE(ManifestHash(flipped), hash);
    auto parsed = Manifest::Parse(flipped);
    EXPECT_FALSE(parsed && *parsed == original);  // a changed fact, never the same ones
  }
}

TEST(Manifest, SerialisesAndParsesBack) {
  const Manifest m = Example();
  const Bytes text = *m.Serialise();
  EXPECT_EQ(*Manifest::Parse(text), m);
  EXPECT_EQ(*Manifest::Parse(text)->Serialise(), text);
}

TEST(Manifest, TheRootOfTensorsDoesNotDependOnTheCut) {
  Manifest two = Example(), one = Example();
  one.slots = {MakeSlot(
      one, 0, 3, {"blk.0.w", "blk.1.w", "blk.2.w", "output_norm.weight", "token_embd.weight"})};
  ASSERT_TRUE(one.Check());
  EXPECT_EQ(one.tensors_root, two.tensors_root);
  EXPECT_EQ(one.slots[0].weights_root, one.tensors_root);
  EXPECT_NE(two.slots[0].weights_root, two.slots[1].weights_root);
}

TEST(Manifest, RootsCoverEveryFieldOfATensorAndNotTheirOrder) {
  const std::vector<Tensor> base = Example().tensors;
  const Hash32 root = WeightsRoot(base);
  std::vector<Tensor> reversed(base.rbegin(), base.rend());
  EXPECT_EQ(WeightsRoot(reversed), root);
  for (int field = 0; field < 5; ++field) {
    std::vector<Tensor> changed = base;
    Tensor& t = changed[2];
    if (field == 0) t.name += "x";
    if (field == 1) t.dtype = "F16";
    if (field == 2) t.dims = {2, 2};
    if (field == 3) t.bytes += 1;
    if (field == 4) t.sha256[5] ^= 1;
    EXPECT_NE(WeightsRoot(changed), root) << field;
  }
  EXPECT_NE(WeightsRoot({base[0], base[1]}), WeightsRoot({base[0], base[1], base[1]}));
}

TEST(Manifest, TheDocumentsExampleIsWhatThisCodeWrites) {
  const Bytes page = *ReadFile("docs/formats/manifest.md");
  const std::string text(AsText(page));
  auto after = [&](std::string_view mark) {
    const size_t at = text.find(mark);
    EXPECT_NE(at, std::string::npos) << mark;
    const size_t begin = text.find("\n", text.find("```", at)) + 1;
    return text.substr(begin, text.find("\n```", begin) - begin);
  };
  const std::string document = after("### Example: the document");
  auto parsed = Manifest::Parse(AsBytes(document));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, Example());
  EXPECT_EQ(after("### Example: its hash"), ToHex(ManifestHash(AsBytes(document))));
  EXPECT_EQ(after("### Example: the leaf of blk.0.w"), ToHex(TensorLeaf(parsed->tensors[0])));
}

}  // namespace
}  // namespace teetee::manifest
