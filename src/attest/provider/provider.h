// Makes evidence inside the TEE. One implementation per kind of TEE; nodes hold one and know
// nothing of its kind. Thread-safe: implementations lock where the hardware needs it. A quote may
// take tens of milliseconds.
#pragma once

#include <string_view>

#include "attest/format/report_data.h"
#include "base/bytes.h"

namespace teetee::attest {

class EvidenceProvider {
 public:
  virtual ~EvidenceProvider() = default;
  // A fresh quote over these 64 bytes, in the vendor's layout.
  virtual Result<Bytes> Quote(const ReportData& report_data) = 0;
  // What a verifier needs beside the quote (docs/formats/evidence.md section 5), current now.
  virtual Result<Bytes> Collateral() = 0;
  virtual std::string_view kind() const = 0;  // "simulated", "tdx"
};

}  // namespace teetee::attest
