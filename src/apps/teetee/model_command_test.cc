#include "apps/teetee/model_command.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace teetee::cli {
namespace {

std::string Written(const std::string& text) {
  const std::string path = testing::TempDir() + "teetee_model_command.json";
  std::ofstream(path) << text;
  return path;
}

Result<Json> HashOf(const std::string& text) { return HashModel(Written(text), {}); }

std::string Parameters(const std::string& price) {
  return R"({"manifest":"0x7160989f15cfe65138862c2bcadc650b1320af7a940c8d0d606d8219099484ed",
    "verifier":"0x7edc17a6955dec2eb66e892488cfd022176f0ebb","price_in":")" + price + R"(","price_out":"20000000000","timeout":120,
    "lease":604800,"slots":[{"weights":"0xa79286f0a96c3cca9cd9bcd6fe9926001034877e536334a83b560f31f1a40955","share":22}]})";
}

// The id that viem computes and the Registry stores for these parameters.
TEST(HashModel, GivesTheIdOfAModelOnChain) {
  const auto found = HashOf(Parameters("20000000000"));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found->Find("model_id"), Json("0x7167651b2e7e32be79f1014c718d9bc0bce93ee78bd86d0ab207f13c3ea901b8"));
}

TEST(HashModel, RefusesWhatIsNoModel) {
  EXPECT_FALSE(HashOf(Parameters("-1")));
  EXPECT_FALSE(HashOf("{\"verifier\":1}"));
  EXPECT_FALSE(HashOf("[]"));
  EXPECT_FALSE(HashOf("{"));
  EXPECT_FALSE(HashOf(""));
}

}  // namespace
}  // namespace teetee::cli
