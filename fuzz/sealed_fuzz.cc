// Envelopes, challenges, control messages, plans and payments: what is read can be written and read
// again unchanged; the opener of answers takes any bytes.
#include <cstdlib>

#include "protocol/challenge.h"
#include "protocol/chunk_counter.h"
#include "protocol/payment.h"
#include "protocol/plan.h"
#include "protocol/sealed.h"

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

void Envelope(ByteView bytes) {
  auto parts = protocol::ParseSealed(bytes);
  if (!parts) return;
  if (AsText(parts->header_bytes) != parts->header.Canonical()) std::abort();
}

void Challenge(ByteView bytes) {
  static const auto key = crypto::X25519Key::Generate();
  auto parts = protocol::ParseChallenge(bytes);
  if (!parts) return;
  if (parts->ciphertext.size() != 48) std::abort();
  if (protocol::AnswerChallenge(bytes, key, {})) std::abort();  // nobody sealed it to this key
}

// However an answer is cut, it has the same chunks.
void Counter(ByteView bytes) {
  protocol::ChunkCounter whole, parts;
  size_t count = 0;
  for (const uint8_t& byte : bytes) count += parts.Feed(ByteView(&byte, 1));
  if (whole.Feed(bytes) != count) std::abort();
}

void Opener(ByteView bytes) {
  protocol::ResponseOpener opener(Secret<32>(Hash32{1}), {});
  const size_t half = bytes.size() / 2;
  if (opener.Push(bytes.first(half))) (void)opener.Push(bytes.subspan(half));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  Envelope(bytes);
  Challenge(bytes);
  Opener(bytes);
  Counter(bytes);
  (void)protocol::SealedHeader::Parse(bytes);
  auto json = Json::Parse(AsText(bytes));
  if (!json) return 0;
  RoundTrip<protocol::Plan>(*json);
  RoundTrip<protocol::Control>(*json);
  if (auto payment = protocol::PaymentFromJson(*json)) {
    const std::string text = protocol::PaymentJson(*payment).Canonical();
    auto again = protocol::PaymentFromJson(*Json::Parse(text));
    if (!again || protocol::PaymentJson(*again).Canonical() != text) std::abort();
  }
  return 0;
}
