#include "model/gguf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/file.h"
#include "model/gguf_writer.h"
#include "model/testing/shared_data.h"

namespace teetee::model {
namespace {

using ops::DType;

// Builds hostile headers by hand.
ByteWriter Start(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
  ByteWriter out;
  out.Raw("GGUF").U32Le(version).U64Le(tensors).U64Le(keys);
  return out;
}

ByteWriter& Name(ByteWriter& out, std::string_view name) {
  return out.U64Le(name.size()).Raw(name);
}

ByteWriter& Tensor(ByteWriter& out, std::string_view name, std::vector<uint64_t> dims,
                   uint32_t type, uint64_t offset) {
  Name(out, name).U32Le(static_cast<uint32_t>(dims.size()));
  for (uint64_t dim : dims) out.U64Le(dim);
  return out.U32Le(type).U64Le(offset);
}

void ExpectRefused(Bytes file, Code code, std::string_view words) {
  auto parsed = GgufFile::Parse(std::move(file));
  ASSERT_FALSE(parsed) << "accepted; expected: " << words;
  EXPECT_EQ(CodeName(parsed.error().code()), CodeName(code)) << parsed.error().message();
  EXPECT_NE(parsed.error().message().find(words), std::string::npos) << parsed.error().message();
}

GgufWriter SmallFile() {
  GgufWriter out;
  out.SetString("general.architecture", "llama").SetU32("a.u32", 7).SetF32("a.f32", 0.5f);
  out.SetBool("a.bool", true);
  out.SetStringArray("a.strings", std::vector<std::string>{"x", "", "yz"});
  out.SetF32Array("a.floats", std::vector<float>{1, -2});
  out.SetI32Array("a.ints", std::vector<int32_t>{3, -4});
  EXPECT_TRUE(out.AddTensor("t.weight", DType::kF32, {3, 2}));
  EXPECT_TRUE(out.AddTensor("q.weight", DType::kQ8_0, {32, 1}));
  return out;
}

Bytes WriteToBytes(const GgufWriter& writer) {
  ByteWriter out;
  auto source = [](const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> piece) -> Status {
    for (size_t i = 0; i < piece.size(); ++i)
      piece[i] = static_cast<uint8_t>(begin + i + tensor.name[0]);
    return Ok{};
  };
  EXPECT_TRUE(writer.Write(source, [&](ByteView piece) -> Status {
    out.Raw(piece);
    return Ok{};
  }));
  return out.Take();
}

TEST(Gguf, RefusesWhatIsNoGguf) {
  ExpectRefused({}, Code::kInvalidArgument, "not a GGUF");
  ExpectRefused(ToBytes(AsBytes("GGML....")), Code::kInvalidArgument, "not a GGUF");
  ExpectRefused(Start(0, 0, 1).Take(), Code::kUnimplemented, "version 1");
  ExpectRefused(Start(0, 0, 4).Take(), Code::kUnimplemented, "version 4");
  ExpectRefused(Start(0, 0, 0x03000000).Take(), Code::kUnimplemented, "big-endian");
}

TEST(Gguf, RefusesCountsBeyondTheBounds) {
  ExpectRefused(Start(uint64_t{1} << 40, 0).Take(), Code::kResourceExhausted, "tensors");
  ExpectRefused(Start(0, uint64_t{1} << 40).Take(), Code::kResourceExhausted, "metadata keys");
}

TEST(Gguf, RefusesBadMetadata) {
  ByteWriter twice = Start(0, 2);
  for (int i = 0; i < 2; ++i) Name(twice, "k").U32Le(4).U32Le(1);
  ExpectRefused(twice.Take(), Code::kInvalidArgument, "'k' stands twice");

  ByteWriter unknown = Start(0, 1);
  Name(unknown, "k").U32Le(13);
  ExpectRefused(unknown.Take(), Code::kInvalidArgument,
                "metadata key 'k' at offset 33: unknown value type");

  ByteWriter nested = Start(0, 1);
  Name(nested, "k").U32Le(9).U32Le(9).U64Le(1);
  ExpectRefused(nested.Take(), Code::kUnimplemented, "arrays of arrays");

  ByteWriter huge = Start(0, 1);
  Name(huge, "k").U32Le(9).U32Le(10).U64Le(uint64_t{1} << 61);  // times 8 wraps to 0
  ExpectRefused(huge.Take(), Code::kResourceExhausted, "elements");

  ByteWriter cut = Start(0, 1);
  Name(cut, "k").U32Le(8).U64Le(~uint64_t{0});
  ExpectRefused(cut.Take(), Code::kDataLoss, "inside its header");

  ByteWriter control = Start(0, 1);
  Name(control, "k\n").U32Le(4).U32Le(1);
  ExpectRefused(control.Take(), Code::kInvalidArgument, "printable");

  ByteWriter align = Start(0, 1);
  Name(align, "general.alignment").U32Le(4).U32Le(24);
  ExpectRefused(align.Take(), Code::kInvalidArgument, "power of two");
}

TEST(Gguf, RefusesBadTensors) {
  struct Case {
    std::vector<uint64_t> dims;
    uint32_t type;
    uint64_t offset;
    Code code;
    std::string_view words;
  };
  const uint64_t big = uint64_t{1} << 32;
  for (const Case& c : std::vector<Case>{
           {{}, 0, 0, Code::kInvalidArgument, "0 dimensions"},
           {{1, 1, 1, 1, 1}, 0, 0, Code::kInvalidArgument, "5 dimensions"},
           {{4, 0}, 0, 0, Code::kInvalidArgument, "dimension is 0"},
           {{big, big}, 0, 0, Code::kResourceExhausted, "too many elements"},
           {{4}, 999, 0, Code::kUnimplemented, "999"},
           {{4}, 0, 8, Code::kInvalidArgument, "not a multiple"},
           {{31}, 8, 0, Code::kInvalidArgument, "31"},
           {{4}, 0, ~uint64_t{31}, Code::kDataLoss, "beyond the end"},
           {{1 << 20}, 0, 0, Code::kDataLoss, "beyond the end"},
       }) {
    ByteWriter out = Start(1, 0);
    Tensor(out, "w", c.dims, c.type, c.offset).Zeros(64);
    ExpectRefused(out.Take(), c.code, c.words);
  }
}

TEST(Gguf, RefusesTensorsThatOverlapOrRepeat) {
  ByteWriter overlap = Start(2, 0);
  Tensor(overlap, "a", {16}, 0, 0);
  Tensor(overlap, "b", {4}, 0, 32).Zeros(256);
  ExpectRefused(overlap.Take(), Code::kInvalidArgument, "a and b overlap");

  ByteWriter twice = Start(2, 0);
  Tensor(twice, "a", {4}, 0, 0);
  Tensor(twice, "a", {4}, 0, 32).Zeros(256);
  ExpectRefused(twice.Take(), Code::kInvalidArgument, "stands twice");
}

TEST(Gguf, RefusesEveryPrefix) {
  const Bytes whole = WriteToBytes(SmallFile());
  for (size_t size = 0; size + 30 < whole.size(); ++size) {  // the last 30 bytes are padding
    EXPECT_FALSE(
        GgufFile::Parse(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))));
  }
}

TEST(Gguf, ReadsWhatWasWritten) {
  GgufFile file = *GgufFile::Parse(WriteToBytes(SmallFile()));
  const GgufMetadata& m = file.metadata();
  EXPECT_EQ(*m.GetString("general.architecture"), "llama");
  EXPECT_EQ(*m.GetU32("a.u32"), 7u);
  EXPECT_EQ(*m.GetI64("a.u32"), 7);
  EXPECT_EQ(*m.GetF32("a.f32"), 0.5f);
  EXPECT_TRUE(*m.GetBool("a.bool"));
  EXPECT_EQ(*m.GetStringArray("a.strings"), (std::vector<std::string_view>{"x", "", "yz"}));
  EXPECT_EQ(*m.GetF32Array("a.floats"), (std::vector<float>{1, -2}));
  EXPECT_EQ(*m.GetI64Array("a.ints"), (std::vector<int64_t>{3, -4}));
  ASSERT_EQ(file.tensors().size(), 2u);
  const TensorInfo& t = **file.FindTensor("t.weight");
  EXPECT_EQ(t.bytes, 24u);
  EXPECT_EQ(t.offset % 32, 0u);
  EXPECT_EQ(ShapeText(t.dims), "(3, 2)");
  Bytes bytes = *file.ReadTensor(t);
  EXPECT_EQ(bytes[0], 't');
  EXPECT_EQ(bytes[23], 't' + 23);
  EXPECT_EQ((*file.FindTensor("q.weight"))->bytes, 34u);
}

TEST(Gguf, GettersNameTheKey) {
  GgufFile file = *GgufFile::Parse(WriteToBytes(SmallFile()));
  const GgufMetadata& m = file.metadata();
  EXPECT_EQ(m.GetU32("absent").error().code(), Code::kNotFound);
  EXPECT_EQ(m.GetU32("a.f32").error().message(),
            "metadata key 'a.f32': expected an integer, found f32");
  EXPECT_FALSE(m.GetString("a.strings"));
  EXPECT_FALSE(m.GetStringArray("a.floats"));
  EXPECT_FALSE(m.GetF32Array("a.strings"));
  EXPECT_FALSE(m.GetBool("a.u32"));
  EXPECT_EQ(*m.GetU32Or("absent", 9), 9u);
  EXPECT_FALSE(m.GetU32Or("a.bool", 9));
  EXPECT_EQ(file.FindTensor("absent").error().code(), Code::kNotFound);
}

TEST(Gguf, NegativeIntegersDoNotFitUnsigned) {
  ByteWriter out = Start(0, 2);
  Name(out, "minus").U32Le(1).U8(0xff);
  Name(out, "wide").U32Le(10).U64Le(~uint64_t{0});
  GgufFile file = *GgufFile::Parse(out.Take());
  EXPECT_FALSE(file.metadata().GetU64("minus"));
  EXPECT_EQ(*file.metadata().GetI64("minus"), -1);
  EXPECT_FALSE(file.metadata().GetU32("wide"));
  EXPECT_FALSE(file.metadata().GetI64("wide"));
  EXPECT_EQ(*file.metadata().GetU64("wide"), ~uint64_t{0});
}

TEST(Gguf, FileOnDiskThatShrinksIsDataLoss) {
  const std::string path = ::testing::TempDir() + "/shrinks.gguf";
  const Bytes whole = WriteToBytes(SmallFile());
  ASSERT_TRUE(WriteFileAtomic(path, whole));
  GgufFile file = *GgufFile::Open(path);
  const TensorInfo& last = **file.FindTensor("q.weight");
  EXPECT_EQ(file.ReadTensor(last)->size(), 34u);
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(last.offset + 5)), 0);
  EXPECT_EQ(file.ReadTensor(last).error().code(), Code::kDataLoss);
}

TEST(Gguf, RefusesFoldersAndMissingFiles) {
  EXPECT_EQ(GgufFile::Open(::testing::TempDir()).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(GgufFile::Open("/nonexistent/x.gguf").error().code(), Code::kNotFound);
}

TEST(Gguf, WriterIsDeterministicAndItsFileEqualsItsStream) {
  const std::string path = ::testing::TempDir() + "/written.gguf";
  auto zeros = [](const TensorInfo&, uint64_t, std::span<uint8_t> out) -> Status {
    std::fill(out.begin(), out.end(), uint8_t{0});
    return Ok{};
  };
  ByteWriter seen;
  ASSERT_TRUE(SmallFile().WriteFile(path, zeros, [&](ByteView piece) -> Status {
    seen.Raw(piece);
    return Ok{};
  }));
  EXPECT_EQ(*ReadFile(path), seen.bytes());
  EXPECT_EQ(WriteToBytes(SmallFile()), WriteToBytes(SmallFile()));
}

TEST(GgufShards, TheDocumentsExampleIsWhatThisCodeWritesAndReads) {
  const Bytes page = *ReadFile("docs/formats/gguf-shards.md");
  const std::string text(AsText(page));
  const size_t begin = text.find('\n', text.find("```", text.find("## Example"))) + 1;
  std::string digits = text.substr(begin, text.find("\n```", begin) - begin);
  std::erase_if(digits, [](char c) { return c == ' ' || c == '\n'; });

  GgufWriter writer;
  writer.SetU32("teetee.slot", 1).SetBool("a", true);
  ASSERT_TRUE(writer.AddTensor("w", DType::kF32, {2}));
  ByteWriter out;
  auto source = [](const TensorInfo&, uint64_t, std::span<uint8_t> piece) -> Status {
    const Bytes values = ByteWriter().F32Le(1).F32Le(2).bytes();
    std::copy(values.begin(), values.end(), piece.begin());
    return Ok{};
  };
  ASSERT_TRUE(writer.Write(source, [&](ByteView piece) -> Status {
    out.Raw(piece);
    return Ok{};
  }));
  EXPECT_EQ(digits, ToHex(out.bytes()));
  GgufFile file = *GgufFile::Parse(*FromHex(digits));
  EXPECT_EQ(*file.metadata().GetU32("teetee.slot"), 1u);
  EXPECT_EQ(*file.ReadTensor(file.tensors()[0]), ByteWriter().F32Le(1).F32Le(2).bytes());
}

TEST(Gguf, OpensRealFiles) {
  TEETEE_NEEDS_SHARED("models/stories260k/stories260K-f32.gguf");
  GgufFile file = *GgufFile::Open(testing::SharedPath("models/stories260k/stories260K-f32.gguf"));
  EXPECT_EQ(*file.metadata().GetString("general.architecture"), "llama");
  EXPECT_EQ((*file.FindTensor("token_embd.weight"))->dims, (std::vector<uint64_t>{64, 512}));
  GgufFile vocabulary = *GgufFile::Open(testing::SharedPath("tokenizers/ggml-vocab-gpt-2.gguf"));
  EXPECT_TRUE(vocabulary.tensors().empty());
  EXPECT_EQ(vocabulary.metadata().GetStringArray("tokenizer.ggml.tokens")->size(), 50257u);
}

}  // namespace
}  // namespace teetee::model
