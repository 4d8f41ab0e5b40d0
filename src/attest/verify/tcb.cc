#include "attest/verify/tcb.h"

#include <algorithm>

#include "attest/check.h"
#include "base/check.h"

namespace teetee::attest {
namespace {

constexpr uint8_t kSgxDebug = 0x02;  // byte 0 of ATTRIBUTES
enum Svn : size_t { kModuleSvn = 0, kModuleVersion = 1, kSeamLoaderSvn = 2 };

template <size_t N>
bool EqualUnderMask(const ByteArray<N>& value, const ByteArray<N>& mask,
                    const ByteArray<N>& wanted) {
  for (size_t i = 0; i < N; ++i) {
    if ((value[i] & mask[i]) != wanted[i]) return false;
  }
  return true;
}

bool AtLeast(const ByteArray<16>& have, const ByteArray<16>& want, size_t from) {
  for (size_t i = from; i < 16; ++i) {
    if (have[i] < want[i]) return false;
  }
  return true;
}

bool IsOneOf(TcbStatus status, std::initializer_list<TcbStatus> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

// A part of the platform (module, QE) can only make the status worse. `part` is UpToDate, OutOfDate
// or Revoked.
TcbStatus Converge(TcbStatus status, TcbStatus part) {
  if (part == TcbStatus::kRevoked) return TcbStatus::kRevoked;
  if (part != TcbStatus::kOutOfDate) return status;
  switch (status) {
    case TcbStatus::kUpToDate:
    case TcbStatus::kSwHardeningNeeded:
      return TcbStatus::kOutOfDate;
    case TcbStatus::kConfigurationNeeded:
    case TcbStatus::kConfigurationAndSwHardeningNeeded:
      return TcbStatus::kOutOfDateConfigurationNeeded;
    default:
      return status;
  }
}

bool IsPartStatus(TcbStatus status) {
  return IsOneOf(status, {TcbStatus::kUpToDate, TcbStatus::kOutOfDate, TcbStatus::kRevoked});
}

// First level, from the highest, that the security version reaches.
Result<TcbLevel> MatchIsv(const std::vector<TcbLevel>& levels, uint16_t svn, const Check& failed) {
  for (const TcbLevel& level : levels) {
    if (svn < level.isv_svn) continue;
    if (!IsPartStatus(level.status))
      return Refuse(failed, "the matching level has a foreign status");
    return level;
  }
  return Refuse(failed, "no TCB level matches");
}

std::string ModuleId(uint8_t version) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string("TDX_") + kDigits[version >> 4] + kDigits[version & 15];
}

std::string UpperCase(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

Result<const ModuleIdentity*> FindModule(const TcbInfo& info, uint8_t version) {
  for (const ModuleIdentity& identity : info.module_identities) {
    if (UpperCase(identity.id) == ModuleId(version)) return &identity;
  }
  return Refuse(check::kModuleIdentity,
                "the TCB info does not know this version of the TDX module");
}

Status CheckModule(const TdReport& td, const ModuleIdentity& module) {
  if (td.mr_signer_seam != module.mr_signer) {
    return Refuse(check::kModuleIdentity, "another signer of the TDX module");
  }
  if (!EqualUnderMask(td.seam_attributes, module.attributes_mask, module.attributes) ||
      td.seam_attributes != ByteArray<8>{}) {
    return Refuse(check::kModuleIdentity, "the TDX module has attributes set");
  }
  return Ok{};
}

// Level of the TDX module; none for version 0, whose versions are among the platform's components.
Result<std::optional<TcbLevel>> MatchModule(const TdReport& td, const TcbInfo& info) {
  TT_CHECK(info.module.has_value());
  uint8_t version = td.tee_tcb_svn[kModuleVersion];
  if (version == 0) {
    TT_RETURN_IF_ERROR(CheckModule(td, *info.module));
    return std::optional<TcbLevel>();
  }
  const ModuleIdentity* identity = TT_TRY(FindModule(info, version));
  TT_RETURN_IF_ERROR(CheckModule(td, *identity));
  TcbLevel level =
      TT_TRY(MatchIsv(identity->levels, td.tee_tcb_svn[kModuleSvn], check::kModuleLevel));
  return std::optional<TcbLevel>(std::move(level));
}

struct PlatformMatch {
  const TcbLevel* level;      // all parts match
  const TcbLevel* sgx_level;  // the first whose SGX part alone matches
};

Result<PlatformMatch> MatchPlatform(const Quote& quote, const SgxExtension& pck,
                                    const TcbInfo& info) {
  // From module version 1 on, its two versions are judged by the module's own levels.
  size_t from = quote.td && quote.td->tee_tcb_svn[kModuleVersion] > 0 ? 2 : 0;
  const TcbLevel* sgx_level = nullptr;
  for (const TcbLevel& level : info.levels) {
    if (!AtLeast(pck.component_svns, level.sgx_components, 0) || pck.pce_svn < level.pce_svn)
      continue;
    if (sgx_level == nullptr) sgx_level = &level;
    if (!quote.td || AtLeast(quote.td->tee_tcb_svn, level.tdx_components, from)) {
      return PlatformMatch{&level, sgx_level};
    }
  }
  return Refuse(check::kTcbLevel, "no TCB level matches: the platform is not supported");
}

bool NeedsConfiguration(TcbStatus status) {
  return IsOneOf(status,
                 {TcbStatus::kConfigurationNeeded, TcbStatus::kConfigurationAndSwHardeningNeeded,
                  TcbStatus::kOutOfDateConfigurationNeeded});
}

// Is the module that runs now (TEE_TCB_SVN2) at the newest level?
Result<bool> RunsNewestModule(const TdReport& td, const TcbInfo& info) {
  const ByteArray<16>& now = td.tee_tcb_svn2;
  const TcbLevel& highest = info.levels.front();
  if (now[kSeamLoaderSvn] < highest.tdx_components[kSeamLoaderSvn]) return false;
  if (now[kModuleVersion] == 0) return now[kModuleSvn] >= highest.tdx_components[kModuleSvn];
  const ModuleIdentity* identity = TT_TRY(FindModule(info, now[kModuleVersion]));
  return !identity->levels.empty() && now[kModuleSvn] >= identity->levels.front().isv_svn;
}

struct RelaunchInput {
  TcbStatus status;  // converged with the module
  TcbStatus sgx;     // of the first level whose SGX part matched
  std::optional<TcbStatus> module;
  TcbStatus qe;
};

// A trust domain that was launched on an old module which has been updated under it since.
Result<TcbStatus> ApplyRelaunch(const TdReport& td, const TcbInfo& info, const RelaunchInput& in) {
  bool candidate =
      td.is_15 && in.qe == TcbStatus::kUpToDate && in.module == TcbStatus::kOutOfDate &&
      IsOneOf(in.sgx,
              {TcbStatus::kUpToDate, TcbStatus::kSwHardeningNeeded, TcbStatus::kConfigurationNeeded,
               TcbStatus::kConfigurationAndSwHardeningNeeded}) &&
      IsOneOf(in.status, {TcbStatus::kOutOfDate, TcbStatus::kOutOfDateConfigurationNeeded});
  if (!candidate) return in.status;
  bool newest = TT_TRY(RunsNewestModule(td, info));
  if (!newest) return in.status;
  bool configuration = NeedsConfiguration(in.sgx) || NeedsConfiguration(in.status);
  return configuration ? TcbStatus::kTdRelaunchAdvisedConfigurationNeeded
                       : TcbStatus::kTdRelaunchAdvised;
}

void AddAll(const std::vector<std::string>& from, std::vector<std::string>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

}  // namespace

Result<TcbLevel> MatchQe(const EnclaveReport& report, const QeIdentity& identity) {
  if (report.mr_signer != identity.mr_signer) {
    return Refuse(check::kQePolicy, "another signer of the quoting enclave");
  }
  if (report.isv_prod_id != identity.isv_prod_id)
    return Refuse(check::kQePolicy, "another product");
  if (!EqualUnderMask(report.misc_select, identity.misc_select_mask, identity.misc_select)) {
    return Refuse(check::kQePolicy, "MISCSELECT differs");
  }
  if (!EqualUnderMask(report.attributes, identity.attributes_mask, identity.attributes)) {
    return Refuse(check::kQePolicy, "ATTRIBUTES differ");
  }
  if ((report.attributes[0] & kSgxDebug) != 0) {
    return Refuse(check::kQePolicy, "the quoting enclave is in debug mode");
  }
  return MatchIsv(identity.levels, report.isv_svn, check::kQeLevel);
}

Result<TcbVerdict> JudgeTcb(const Quote& quote, const SgxExtension& pck, const TcbInfo& info,
                            const TcbLevel& qe) {
  std::optional<TcbLevel> module;
  if (quote.td) module = TT_TRY(MatchModule(*quote.td, info));
  PlatformMatch platform = TT_TRY(MatchPlatform(quote, pck, info));
  TcbVerdict out{platform.level->status, platform.level->status, std::nullopt, {}};
  AddAll(platform.level->advisories, &out.advisories);
  if (module) {
    out.module = module->status;
    out.status = Converge(out.status, module->status);
    AddAll(module->advisories, &out.advisories);
  }
  if (quote.td) {
    RelaunchInput relaunch{out.status, platform.sgx_level->status, out.module, qe.status};
    out.status = TT_TRY(ApplyRelaunch(*quote.td, info, relaunch));
  }
  out.status = Converge(out.status, qe.status);
  AddAll(qe.advisories, &out.advisories);
  std::sort(out.advisories.begin(), out.advisories.end());
  out.advisories.erase(std::unique(out.advisories.begin(), out.advisories.end()),
                       out.advisories.end());
  return out;
}

}  // namespace teetee::attest
