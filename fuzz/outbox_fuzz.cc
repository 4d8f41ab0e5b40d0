// Outbox entries, receipt documents, transcripts and model parameters as JSON: what is read can be
// written and read again unchanged.
#include <cstdlib>

#include "protocol/model_params.h"
#include "protocol/outbox.h"
#include "protocol/receipt.h"

using namespace teetee;

namespace {

template <class T>
void RoundTrip(const Json& json) {
  auto read = T::FromJson(json);
  if (!read) return;
  const std::string text = read->ToJson().Canonical();
  auto again = T::FromJson(*Json::Parse(text));
  if (!again || again->ToJson().Canonical() != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto json = Json::Parse(AsText({data, size}));
  if (!json) return 0;
  RoundTrip<protocol::OutboxEntry>(*json);
  RoundTrip<protocol::ReceiptDocument>(*json);
  RoundTrip<protocol::Transcript>(*json);
  if (auto params = protocol::ModelParamsFromJson(*json)) {
    if (protocol::ModelParamsJson(*params).Canonical().empty()) std::abort();
  }
  return 0;
}
