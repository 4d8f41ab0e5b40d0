// JSON bodies: what parses is written and parsed again to the same value, in canonical form too;
// and the answers of an RPC node are read without an abort.
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "chain/rpc_codec.h"

namespace {

using namespace teetee;

bool HasDouble(const Json& json) {
  if (json.is_number() && !json.is_integer()) return true;
  if (json.is_array()) {
    for (const Json& item : json.as_array()) {
      if (HasDouble(item)) return true;
    }
  }
  if (json.is_object()) {
    for (const auto& [key, value] : json.as_object()) {
      if (HasDouble(value)) return true;
    }
  }
  return false;
}

void ReadAsAnswer(const Json& json) {
  using namespace chain;
  (void)BlockFromJson(json);
  (void)ReceiptFromJson(json);
  (void)LogsFromJson(json);
  (void)QuantityFromJson(json);
  (void)DataFromJson(json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto reply = chain::ParseRpcReply(text, 1)) {
    if (reply->failure) {
      (void)chain::ErrorOf(*reply->failure);
      (void)chain::SendResultOf(*reply->failure);
    }
    ReadAsAnswer(reply->result);
  }
  auto json = Json::Parse(text);
  if (!json) return 0;
  ReadAsAnswer(*json);
  if (HasDouble(*json)) return 0;
  auto again = Json::Parse(json->Dump());
  if (!again || !(*again == *json)) std::abort();
  const std::string canonical = json->Canonical();
  auto sorted = Json::Parse(canonical);
  if (!sorted || sorted->Canonical() != canonical) std::abort();
  return 0;
}
