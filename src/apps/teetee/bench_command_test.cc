#include "apps/teetee/bench_command.h"

#include <gtest/gtest.h>

namespace teetee::cli {
namespace {

TEST(ParseBatches, RefusesWhatIsNoListOfSizes) {
  for (const char* text : {"", ",", "1,", ",1", "1,,4", "1, 4", "x", "1,x", "0", "1,0", "-1", "+1",
                           "1.5", "1025", "1;4", "99999999999999999999999"}) {
    const auto batches = ParseBatches(text);
    ASSERT_FALSE(batches) << text;
    EXPECT_EQ(batches.error().code(), Code::kInvalidArgument);
    EXPECT_NE(batches.error().message().find("1,4,8,32"), std::string::npos) << "says what to do";
  }
  std::string many = "1";
  for (int i = 0; i < 64; ++i) many += ",1";
  EXPECT_FALSE(ParseBatches(many));
}

TEST(ParseBatches, ReadsSizesInTheirOrder) {
  EXPECT_EQ(*ParseBatches("8"), std::vector<size_t>{8});
  EXPECT_EQ(*ParseBatches("32,1,1024"), (std::vector<size_t>{32, 1, 1024}));
}

TEST(RunBench, RefusesWithoutAModel) {
  const auto report = RunBench({});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message().find("-m"), std::string::npos);
  BenchRequest absent;
  absent.model = "/nonexistent.gguf";
  EXPECT_EQ(RunBench(absent).error().code(), Code::kNotFound);
}

TEST(RunBench, RefusesZero) {
  BenchRequest request;
  request.model = "/nonexistent.gguf";  // refused before it is opened
  for (size_t BenchRequest::*number : {&BenchRequest::prompt_tokens, &BenchRequest::decode_tokens,
                                       &BenchRequest::tries, &BenchRequest::stages}) {
    BenchRequest zero = request;
    zero.*number = 0;
    EXPECT_EQ(RunBench(zero).error().code(), Code::kInvalidArgument);
  }
  request.batches = "0";
  EXPECT_EQ(RunBench(request).error().code(), Code::kInvalidArgument);
}

TEST(RunBench, RefusesAnUnknownInstructionSet) {
  BenchRequest request;
  request.machine_only = true;
  request.isa = "avx3";
  EXPECT_EQ(RunBench(request).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace teetee::cli
