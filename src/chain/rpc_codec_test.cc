#include "chain/rpc_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "chain/abi.h"

namespace teetee::chain {
namespace {

TEST(RpcReply, RefusesWhatIsNoAnswer) {
  for (const char* body : {"", "[]", "{}", "null", "\"x\"", "{\"id\":8,\"result\":1}", "{\"id\":7}",
                           "{\"result\":1}", "{\"id\":\"7\",\"result\":1}", "<html>"}) {
    EXPECT_FALSE(ParseRpcReply(body, 7)) << body;
  }
  auto reply = ParseRpcReply(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})", 7);
  ASSERT_TRUE(reply);
  EXPECT_EQ(*QuantityFromJson(reply->result), Uint128{1});
}

TEST(RpcReply, RevertsAreExplained) {
  const std::string data = ToHex0x(AbiWriter().Call("WrongSequence()"));
  for (const std::string& error :
       {R"({"code":3,"message":"execution reverted","data":")" + data + "\"}",
        R"({"code":-32000,"message":"VM Exception","data":{"data":")" + data + "\"}}"}) {
    auto reply = ParseRpcReply(R"({"id":1,"error":)" + error + "}", 1);
    ASSERT_TRUE(reply && reply->failure);
    const Error explained = ErrorOf(*reply->failure);
    EXPECT_EQ(explained.code(), Code::kFailedPrecondition);
    EXPECT_NE(explained.message().find("WrongSequence"), std::string::npos) << explained.message();
  }
}

TEST(RpcReply, NodesWordsAreCutAndPrintable) {
  const std::string longer(5000, 'x');
  auto reply =
      ParseRpcReply(R"({"id":null,"error":{"code":-32005,"message":"a\nb)" + longer + "\"}}", 1);
  ASSERT_TRUE(reply && reply->failure);
  const Error error = ErrorOf(*reply->failure);
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_LT(error.message().size(), 300u);
  EXPECT_EQ(error.message().find('\n'), std::string::npos);
}

TEST(SendResult, KnownPhrases) {
  EXPECT_EQ(SendResultOf({-32003, "transaction nonce is too low", {}}), SendResult::kNonceTooLow);
  EXPECT_EQ(SendResultOf({-32000, "Nonce too low: next nonce 5", {}}), SendResult::kNonceTooLow);
  EXPECT_EQ(SendResultOf({-32000, "already known", {}}), SendResult::kAlreadyKnown);
  EXPECT_EQ(SendResultOf({-32003, "transaction already imported", {}}), SendResult::kAlreadyKnown);
  EXPECT_EQ(SendResultOf({-32000, "replacement transaction underpriced", {}}),
            SendResult::kUnderpriced);
  EXPECT_EQ(SendResultOf({-32000, "insufficient funds", {}}), std::nullopt);
}

TEST(FromJson, RefusesMalformedBlocksAndReceipts) {
  EXPECT_FALSE(*BlockFromJson(Json()));  // null: no such block
  EXPECT_FALSE(BlockFromJson(Json::MakeObject({{"number", "0x1"}})));
  EXPECT_FALSE(BlockFromJson(Json(5)));
  EXPECT_FALSE(ReceiptFromJson(Json::MakeObject({{"status", "0x2"}})));
  EXPECT_FALSE(LogsFromJson(Json()));
  EXPECT_FALSE(LogsFromJson(Json(Json::Array{Json(1)})));
  EXPECT_FALSE(DataFromJson(Json("0x1")));
  EXPECT_FALSE(QuantityFromJson(Json(1)));
}

TEST(ToJson, FilterAndCall) {
  LogFilter filter{1, 255, {Address{1}}, {Hash32{2}}};
  EXPECT_EQ(
      ToJson(filter).Dump(),
      R"({"fromBlock":"0x1","toBlock":"0xff","address":["0x0100000000000000000000000000000000000000"],)"
      R"("topics":[["0x0200000000000000000000000000000000000000000000000000000000000000"]]})");
  CallRequest call;
  call.value = Wei(16);
  call.data = {1};
  EXPECT_EQ(ToJson(call).Dump(), R"({"value":"0x10","data":"0x01"})");
}

}  // namespace
}  // namespace teetee::chain
