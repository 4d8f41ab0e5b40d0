// Quotes: parsing, and the SGX extension of PCK certificates beside it.
#include "attest/format/sgx_extension.h"
#include "attest/format/tdx_quote.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  teetee::ByteView bytes(data, size);
  auto quote = teetee::attest::ParseQuote(bytes);
  if (quote) {
    TT_CHECK(quote->size <= size);
    TT_CHECK(quote->td.has_value() != quote->enclave.has_value());
    TT_CHECK(quote->report_data().size() == 64);
  }
  (void)teetee::attest::ParseSgxExtension(bytes);
  return 0;
}
