// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

/// The cheat codes that the tests use; forge answers at this address. No forge-std needed.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address who) external;
    function roll(uint256 blockNumber) external;
    function warp(uint256 time) external;
    function deal(address who, uint256 amount) external;
    function etch(address where, bytes calldata code) external;
    function chainId(uint256 id) external;
    function store(address where, bytes32 slot, bytes32 value) external;
    function expectRevert() external;
    function expectRevert(bytes4 error) external;
    function expectRevert(bytes calldata error) external;
    function expectEmit() external;
    function expectEmit(address emitter) external;
    function assertEq(uint256 a, uint256 b, string calldata why) external pure;
    function assertEq(bytes32 a, bytes32 b, string calldata why) external pure;
    function assertEq(address a, address b, string calldata why) external pure;
    function assertTrue(bool ok, string calldata why) external pure;
    function snapshotGasLastCall(string calldata name) external returns (uint256);
    function snapshotValue(string calldata name, uint256 value) external;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUint(string calldata json, string calldata path) external pure returns (uint256);
    function parseJsonBytes32(string calldata json, string calldata path) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata path) external pure returns (bytes32[] memory);
    function parseJsonAddress(string calldata json, string calldata path) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata path) external pure returns (bytes memory);
    function keyExistsJson(string calldata json, string calldata path) external view returns (bool);
    function toString(uint256 value) external pure returns (string memory);
}

abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public IS_TEST = true;

    function bound(uint256 x, uint256 lo, uint256 hi) internal pure returns (uint256) {
        return hi - lo == type(uint256).max ? x : lo + x % (hi - lo + 1);
    }
}
