// HTTP requests and responses in pieces, URLs, event streams.
#include <algorithm>

#include "net/http_codec.h"
#include "net/sse.h"
#include "net/url.h"

using teetee::Bytes;
using teetee::ByteView;

// Feeds `input` in pieces of its first byte's size and keeps what was not taken, as the server
// does.
template <class Decoder>
static void Decode(Decoder& decoder, ByteView input, size_t piece) {
  Bytes pending;
  while (!input.empty() && !decoder.done()) {
    ByteView part = input.first(std::min(piece, input.size()));
    input = input.subspan(part.size());
    pending.insert(pending.end(), part.begin(), part.end());
    for (;;) {
      auto taken = decoder.Put(pending);
      if (!taken) return;
      if (*taken == 0) break;
      if (*taken > pending.size()) __builtin_trap();
      pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(*taken));
    }
    if (pending.size() > 4096 + piece) __builtin_trap();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  size_t piece = size_t{1} + data[0];
  ByteView input(data + 2, size - 2);
  if (data[1] % 4 == 0) {
    teetee::net::HttpRequestDecoder decoder(1024, 4096);
    Decode(decoder, input, piece);
    if (decoder.header_done() && decoder.request().body.size() > 4096) __builtin_trap();
  } else if (data[1] % 4 == 1) {
    teetee::net::HttpResponseDecoder decoder(data[1] & 64, 1024, 4096);
    Decode(decoder, input, piece);
    (void)decoder.PutEnd();
    if (decoder.TakeBody().size() > 4096) __builtin_trap();
  } else if (data[1] % 4 == 2) {
    auto url = teetee::net::ParseUrl(teetee::AsText(input));
    if (url && !teetee::net::ParseUrl(url->scheme + "://" + url->HostHeader() + url->target))
      __builtin_trap();
    (void)teetee::net::ParseHostPort(teetee::AsText(input));
    (void)teetee::net::QueryParameter(teetee::AsText(input), "a");
  } else {
    teetee::net::SseParser parser(512);
    while (!input.empty()) {
      ByteView part = input.first(std::min(piece, input.size()));
      input = input.subspan(part.size());
      if (!parser.Feed(part)) break;
    }
  }
  return 0;
}
