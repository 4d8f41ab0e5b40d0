// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {AllowlistVerifier} from "../../src/verifiers/AllowlistVerifier.sol";
import {Setup} from "../Setup.sol";

contract AllowlistVerifierTest is Setup {
    AllowlistVerifier internal list;
    uint256[3] internal auditors; // private keys, ascending by address
    bytes32 internal constant MANIFEST = keccak256("manifest");
    bytes32 internal constant REPORT = keccak256("report");
    uint64 internal constant EXPIRES = uint64(START + 100);

    function setUp() public {
        vm.warp(START);
        auditors = [uint256(0xD1), 0xD2, 0xD3];
        for (uint256 i; i < 3; ++i) {
            for (uint256 j; j + 1 < 3; ++j) {
                if (vm.addr(auditors[j]) > vm.addr(auditors[j + 1])) {
                    (auditors[j], auditors[j + 1]) = (auditors[j + 1], auditors[j]);
                }
            }
        }
        list = new AllowlistVerifier(named(3), 2);
    }

    function named(uint256 n) internal view returns (address[] memory names) {
        names = new address[](n);
        for (uint256 i; i < n; ++i) {
            names[i] = vm.addr(auditors[i]);
        }
    }

    function approve(uint256 k, bytes32 manifest, bytes32 report, uint64 expires, address where)
        internal
        view
        returns (bytes32[2] memory sig)
    {
        bytes32 typehash = keccak256("Approval(bytes32 manifest,bytes32 reportData,uint64 expires)");
        bytes32 hash = keccak256(abi.encode(typehash, manifest, report, expires));
        bytes32 domain_ = domainOf("TeeTee Allowlist", where);
        (sig[0], sig[1]) = sign(k, keccak256(abi.encodePacked("\x19\x01", domain_, hash)));
    }

    function approve(uint256 k) internal view returns (bytes32[2] memory) {
        return approve(k, MANIFEST, REPORT, EXPIRES, address(list));
    }

    function quote(bytes32[2][] memory sigs) internal pure returns (bytes memory) {
        return abi.encode(REPORT, EXPIRES, sigs);
    }

    function two(bytes32[2] memory a, bytes32[2] memory b) internal pure returns (bytes32[2][] memory sigs) {
        sigs = new bytes32[2][](2);
        (sigs[0], sigs[1]) = (a, b);
    }

    function verifyFails(bytes32[2][] memory sigs, bytes memory why) internal {
        vm.expectRevert(why);
        list.verify(quote(sigs), MANIFEST);
    }

    function constructFails(address[] memory names, uint256 threshold) internal {
        vm.expectRevert(AllowlistVerifier.BadAuditors.selector);
        new AllowlistVerifier(names, threshold);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_threshold(uint256 threshold) public {
        constructFails(named(3), 0);
        constructFails(named(3), bound(threshold, 4, type(uint256).max));
        constructFails(new address[](0), 0);
    }

    function test_refuses_auditorTwiceOrZero() public {
        address[] memory names = named(3);
        names[2] = names[0];
        constructFails(names, 1);
        names[2] = address(0);
        constructFails(names, 1);
    }

    function test_refuses_expired(uint64 late) public {
        vm.warp(bound(late, EXPIRES + 1, type(uint64).max));
        verifyFails(two(approve(auditors[0]), approve(auditors[1])), err(AllowlistVerifier.Expired.selector));
    }

    function test_refuses_tooFew() public {
        bytes32[2][] memory sigs = new bytes32[2][](1);
        sigs[0] = approve(auditors[0]);
        verifyFails(sigs, err(AllowlistVerifier.TooFewApprovals.selector));
        verifyFails(new bytes32[2][](0), err(AllowlistVerifier.TooFewApprovals.selector));
    }

    function test_refuses_sameAuditorTwice() public {
        bytes32[2][] memory sigs = two(approve(auditors[0]), approve(auditors[0]));
        verifyFails(sigs, err(AllowlistVerifier.WrongApproval.selector, 1));
    }

    function test_refuses_wrongOrder() public {
        bytes32[2][] memory sigs = two(approve(auditors[1]), approve(auditors[0]));
        verifyFails(sigs, err(AllowlistVerifier.WrongApproval.selector, 1));
    }

    function test_refuses_stranger() public {
        bytes32[2][] memory sigs = two(approve(0xBAD), approve(auditors[1]));
        verifyFails(sigs, err(AllowlistVerifier.WrongApproval.selector, 0));
    }

    function test_refuses_malformed(bytes32 r) public {
        bytes32[2][] memory sigs = two([r, MALFORMED], approve(auditors[1]));
        verifyFails(sigs, err(AllowlistVerifier.WrongApproval.selector, 0));
    }

    function test_refuses_otherManifestReportOrExpiry() public {
        bytes memory why = err(AllowlistVerifier.WrongApproval.selector, 0);
        bytes32[2] memory good = approve(auditors[1]);
        verifyFails(two(approve(auditors[0], REPORT, REPORT, EXPIRES, address(list)), good), why);
        verifyFails(two(approve(auditors[0], MANIFEST, MANIFEST, EXPIRES, address(list)), good), why);
        verifyFails(two(approve(auditors[0], MANIFEST, REPORT, EXPIRES + 1, address(list)), good), why);
        verifyFails(two(approve(auditors[0], MANIFEST, REPORT, EXPIRES, address(ledger)), good), why);
    }

    function test_refuses_bytesThatAreNoQuote() public {
        vm.expectRevert();
        list.verify(hex"1234", MANIFEST);
    }

    // ---------------------------------------------------------------- what it does

    function test_verify(uint64 time) public {
        vm.warp(bound(time, START, EXPIRES));
        bytes32[2][] memory sigs = two(approve(auditors[0]), approve(auditors[2]));
        vm.assertEq(list.verify(quote(sigs), MANIFEST), REPORT, "report data");
    }

    function test_moreThanTheThreshold() public view {
        bytes32[2][] memory sigs = new bytes32[2][](3);
        for (uint256 i; i < 3; ++i) {
            sigs[i] = approve(auditors[i]);
        }
        vm.assertEq(list.verify(quote(sigs), MANIFEST), REPORT, "report data");
    }

    function test_names() public view {
        vm.assertEq(list.auditors().length, 3, "auditors");
        vm.assertEq(list.threshold(), 2, "threshold");
        vm.assertTrue(list.isAuditor(vm.addr(auditors[1])) && !list.isAuditor(user), "isAuditor");
    }

    function test_admitsANode() public {
        setUpLine(1);
        list = new AllowlistVerifier(named(1), 1);
        bytes32 m = registry.addModel(modelOf(1, PRICE_IN, LEASE, address(list)));
        bytes32 report = abi.decode(quoteFor(hostAt(3), vm.addr(0x99), 0, 999), (bytes32));
        bytes32[2][] memory sigs = new bytes32[2][](1);
        sigs[0] = approve(auditors[0], MANIFEST, report, EXPIRES, address(list));
        vm.prank(hostAt(3));
        registry.join(m, 0, vm.addr(0x99), "https://a.example", abi.encode(report, EXPIRES, sigs), 999);
        vm.assertTrue(registry.isLive(m, 0, vm.addr(0x99)), "live");
    }
}
