// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IQuoteVerifier} from "../interfaces/IQuoteVerifier.sol";

/// @title AllowlistVerifier
/// @notice Accepts what at least `threshold` of the named auditors approved. For development machines, simulated TEEs
/// and vendors without an on-chain verifier: the auditors check the real quote off chain and sign what it says. Who
/// uses a model with this verifier trusts its auditors; clients must show that. No owner; the list never changes.
///
/// The `quote` argument is `abi.encode(bytes32 reportData, uint64 expires, bytes32[2][] sigs)`: words 0 and 1 the
/// values, word 2 the offset 0x60, word 3 the number of signatures, then (r, vs) of each as in EIP-2098. A signature is
/// over the EIP-712 digest of `Approval(bytes32 manifest,bytes32 reportData,uint64 expires)` in the domain
/// {name "TeeTee Allowlist", version "1", chainId, verifyingContract: this}. Signatures stand in strictly ascending
/// order of the auditors' addresses, so none counts twice. `expires` is the last good second.
contract AllowlistVerifier is IQuoteVerifier, EIP712("TeeTee Allowlist", "1") {
    bytes32 internal constant APPROVAL_TYPEHASH =
        keccak256("Approval(bytes32 manifest,bytes32 reportData,uint64 expires)");

    /// @notice How many auditors must approve.
    uint256 public immutable threshold;
    mapping(address => bool) public isAuditor;
    address[] internal _auditors;

    /// @dev An auditor is 0 or named twice, or the threshold is 0 or more than there are auditors.
    error BadAuditors();
    /// @dev The approval is past its last second.
    error Expired();
    /// @dev Fewer signatures than the threshold.
    error TooFewApprovals();
    /// @dev The signature at this place is malformed, not an auditor's, or not above the one before it.
    error WrongApproval(uint256 index);

    constructor(address[] memory named, uint256 threshold_) {
        if (threshold_ == 0 || threshold_ > named.length) revert BadAuditors();
        for (uint256 i; i < named.length; ++i) {
            if (named[i] == address(0) || isAuditor[named[i]]) revert BadAuditors();
            isAuditor[named[i]] = true;
        }
        _auditors = named;
        threshold = threshold_;
    }

    /// @inheritdoc IQuoteVerifier
    function verify(bytes calldata quote, bytes32 manifest) external view returns (bytes32) {
        (bytes32 reportData, uint64 expires, bytes32[2][] memory sigs) =
            abi.decode(quote, (bytes32, uint64, bytes32[2][]));
        if (expires < block.timestamp) revert Expired();
        if (sigs.length < threshold) revert TooFewApprovals();
        bytes32 digest = approvalDigest(manifest, reportData, expires);
        address last;
        for (uint256 i; i < sigs.length; ++i) {
            (address signer,,) = ECDSA.tryRecover(digest, sigs[i][0], sigs[i][1]); // 0 if malformed, and 0 <= last
            if (signer <= last || !isAuditor[signer]) revert WrongApproval(i);
            last = signer;
        }
        return reportData;
    }

    /// @notice What an auditor signs.
    function approvalDigest(bytes32 manifest, bytes32 reportData, uint64 expires) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, manifest, reportData, expires)));
    }

    function auditors() external view returns (address[] memory) {
        return _auditors;
    }
}
