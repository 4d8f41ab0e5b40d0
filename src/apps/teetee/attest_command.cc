#include "apps/teetee/attest_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "apps/teetee/cli.h"
#include "attest/check.h"
#include "attest/collateral/collateral.h"
#include "attest/collateral/iso_time.h"
#include "attest/policy/appraise.h"
#include "attest/provider/dev_pki.h"
#include "attest/provider/measure.h"
#include "attest/verify/verified_quote.h"
#include "base/file.h"

namespace teetee::cli {
namespace {

struct Options {
  std::string quote, collateral, trust, now, out, file;
  bool json = false;
};

Result<int64_t> Now(const Options& o) {
  if (o.now.empty()) return static_cast<int64_t>(std::time(nullptr));
  return attest::ParseIsoTime(o.now);
}

// A quote lies about as bytes or as hex text.
Result<Bytes> LoadQuote(const std::string& path) {
  Bytes bytes = TT_TRY(ReadFile(path, 1u << 20));
  std::string_view text = AsText(bytes);
  while (text.ends_with('\n')) text.remove_suffix(1);
  auto decoded = FromHex(text);
  return decoded ? *std::move(decoded) : bytes;
}

Json DescribeQuote(const attest::Quote& quote) {
  Json out = Json::MakeObject({{"version", uint32_t{quote.version}},
                               {"tee", quote.td ? "tdx" : "sgx"},
                               {"report_data", ToHex(quote.report_data())}});
  if (quote.enclave) {
    return out.Set("mrenclave", ToHex(quote.enclave->mr_enclave))
        .Set("mrsigner", ToHex(quote.enclave->mr_signer));
  }
  const attest::TdReport& td = *quote.td;
  out.Set("mrtd", ToHex(td.mrtd));
  for (size_t i = 0; i < 4; ++i) out.Set("rtmr" + std::to_string(i), ToHex(td.rtmr[i]));
  return out.Set("debug", (td.td_attributes & attest::kTdDebug) != 0)
      .Set("sept_ve_disable", (td.td_attributes & attest::kTdSeptVeDisable) != 0)
      .Set("tee_tcb_svn", ToHex(td.tee_tcb_svn))
      .Set("mrseam", ToHex(td.mr_seam))
      .Set("bytes", uint64_t{quote.size});
}

std::string_view DescribeRoot(const attest::VerifiedQuote& quote) {
  return quote.root() == attest::kIntelRootSpkiHash
             ? "Intel"
             : "simulated (proves nothing beyond the machine that made this root)";
}

Json DescribeVerified(const attest::VerifiedQuote& quote) {
  Json advisories = Json::MakeArray();
  for (const std::string& id : quote.advisories()) advisories.Push(id);
  Json out = Json::MakeObject({{"genuine", true},
                               {"root", DescribeRoot(quote)},
                               {"root_spki_sha256", ToHex(quote.root())},
                               {"tcb_status", attest::TcbStatusName(quote.status())},
                               {"platform", attest::TcbStatusName(quote.platform_status())},
                               {"qe", attest::TcbStatusName(quote.qe_status())},
                               {"advisories", advisories},
                               {"tcb_evaluation", quote.tcb_evaluation()},
                               {"valid_from", attest::FormatIsoTime(quote.window().not_before)},
                               {"valid_until", attest::FormatIsoTime(quote.window().not_after)},
                               {"fmspc", ToHex(quote.fmspc())},
                               {"ppid", ToHex(quote.ppid())}});
  if (quote.module_status()) out.Set("module", attest::TcbStatusName(*quote.module_status()));
  return out.Set("quote", DescribeQuote(quote.quote()));
}

void PrintPlain(const Json& object, const std::string& indent) {
  for (const auto& [key, value] : object.as_object()) {
    if (value.is_object()) {
      std::printf("%s%s:\n", indent.c_str(), key.c_str());
      PrintPlain(value, indent + "  ");
    } else {
      std::string text = value.is_string() ? value.as_string() : value.Dump();
      std::printf("%s%s: %s\n", indent.c_str(), key.c_str(), text.c_str());
    }
  }
}

void Print(const Json& result, bool json) {
  if (json) {
    PrintJson(result);
  } else {
    PrintPlain(result, "");
  }
}

// Without a trust file: Intel's root and the rules for every trust domain, and no word on what runs
// inside.
Result<std::string> AppraiseStrictly(const attest::VerifiedQuote& quote) {
  TT_RETURN_IF_ERROR(attest::AppraiseAttributes(quote));
  TT_RETURN_IF_ERROR(attest::AppraiseTcb(quote, {attest::TcbStatus::kUpToDate}, 0));
  return std::string("none: no trust file says what should run");
}

void SetRefusal(const Error& error, Json* out) {
  out->Set("accepted", false).Set("refused_check", attest::RefusedCheck(error));
  out->Set("reason", error.message());
}

Status Verify(const Options& o) {
  Bytes quote = TT_TRY(LoadQuote(o.quote));
  Bytes collateral = TT_TRY(ReadFile(o.collateral, attest::kMaxCollateral));
  int64_t now = TT_TRY(Now(o));
  std::optional<attest::TrustFile> trust;
  if (!o.trust.empty()) trust = TT_TRY(attest::TrustFile::Load(o.trust));
  const std::vector<Hash32> roots =
      trust ? trust->roots() : std::vector<Hash32>{attest::kIntelRootSpkiHash};
  auto verified = attest::VerifyQuote(quote, collateral, roots, now);
  if (!verified) {
    Json refusal = Json::MakeObject({{"genuine", false}});
    SetRefusal(verified.error(), &refusal);
    Print(refusal, o.json);
    return std::move(verified).error();
  }
  Json result = DescribeVerified(*verified);
  auto release = trust ? attest::Appraise(*verified, *trust) : AppraiseStrictly(*verified);
  if (!release) {
    SetRefusal(release.error(), &result);
    Print(result, o.json);
    return std::move(release).error();
  }
  Print(result.Set("accepted", true).Set("release", *release), o.json);
  return Ok{};
}

Status Show(const Options& o) {
  Bytes bytes = TT_TRY(LoadQuote(o.quote));
  attest::Quote quote = TT_TRY(attest::ParseQuote(bytes));
  Print(DescribeQuote(quote), o.json);
  PrintNote("parsed only: nothing here was verified");
  return Ok{};
}

Status Measure(const Options& o) {
  Hash48 mrtd = TT_TRY(attest::MeasureExecutable(o.file));
  std::printf("%s\n", ToHex(mrtd).c_str());
  return Ok{};
}

void AddVerify(CLI::App& attest, std::shared_ptr<Options> o) {
  CLI::App* command =
      attest.add_subcommand("verify", "verify a quote, and judge it by a trust file");
  command->add_option("--quote", o->quote, "quote, as bytes or hex text")->required();
  command->add_option("--collateral", o->collateral, "collateral, JSON")->required();
#ifdef TEETEE_SIMULATED
  command->add_option("--trust", o->trust, "trust file (default: Intel's root, no measurements)");
#endif
  command->add_option("--now", o->now,
                      "time to judge at, like 2026-01-31T00:00:00Z (default: now)");
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Verify(*o); });
}

void AddShow(CLI::App& attest, std::shared_ptr<Options> o) {
  CLI::App* command = attest.add_subcommand("show", "print the fields of a quote, unverified");
  command->add_option("--quote", o->quote, "quote, as bytes or hex text")->required();
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Show(*o); });
}

void AddMeasure(CLI::App& attest, std::shared_ptr<Options> o) {
  CLI::App* command =
      attest.add_subcommand("measure", "SHA-384 of a program: its MRTD in simulated evidence");
  command->add_option("file", o->file, "the program")->required();
  SetAction(*command, [o] { return Measure(*o); });
}

#ifdef TEETEE_SIMULATED
Status MakeDevPki(const Options& o) {
  attest::DevPki pki =
      TT_TRY(attest::DevPki::Create(o.out, static_cast<int64_t>(std::time(nullptr))));
  Print(Json::MakeObject({{"folder", o.out}, {"root_spki_sha256", ToHex(pki.RootHash())}}), o.json);
  PrintNote("simulated: evidence under this root proves nothing to anyone else");
  return Ok{};
}

void AddDevPki(CLI::App& attest, std::shared_ptr<Options> o) {
  CLI::App* command = attest.add_subcommand("dev-pki", "make the development PKI of this machine");
  command->add_option("--out", o->out, "folder; refused if it holds one already")->required();
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return MakeDevPki(*o); });
}
#endif

}  // namespace

void AddAttestCommands(CLI::App& app) {
  CLI::App* attest = app.add_subcommand("attest", "look at evidence and judge it, offline");
  attest->require_subcommand(1);
  auto o = std::make_shared<Options>();
  AddVerify(*attest, o);
  AddShow(*attest, o);
  AddMeasure(*attest, o);
#ifdef TEETEE_SIMULATED
  AddDevPki(*attest, o);
#endif
}

}  // namespace teetee::cli
