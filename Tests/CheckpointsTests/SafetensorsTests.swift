import Foundation
import Testing

@testable import Checkpoints

@Suite struct SafetensorsHeaderTests {
  @Test func headerIsRead() throws {
    let json =
      #"{"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},"#
      + #" "__metadata__": {"caf\u00e9":"\ud83d\ude00\n\/"}, "a":{"data_offsets":[0,2],"shape":[],"dtype":"BF16"}}  "#

    let header = try SafetensorsHeader(json: Array(json.utf8), dataSize: 10)

    #expect(header.tensors.map(\.name) == ["b", "a"])
    #expect(header.tensor(named: "a")?.byteRange == 0..<2)
    #expect(header.tensor(named: "b")?.shape == [2, 1])
    #expect(header.metadata == ["café": "😀\n/"])
    #expect(header.dataSize == 10)
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
      SafetensorsError.duplicateName("a")
    ),
    (#"{"__metadata__":{"k":"1","k":"2"}}"#, .duplicateName("k")),
    (#"{"__metadata__":{},"__metadata__":{}}"#, .duplicateName("__metadata__")),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
      .gapOrOverlap(tensor: "b")
    ),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#,
      .gapOrOverlap(tensor: "b")
    ),
    (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, .gapOrOverlap(tensor: "a")),
    (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, .dataSize(expected: 3, actual: 4)),
    (#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#, .dataSize(expected: 5, actual: 4)),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, .wrongSize(tensor: "a")),
    (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, .wrongSize(tensor: "a")),
    (#"{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}"#, .unknownType(tensor: "a", type: "F4")),
  ])
  func contradictionsAreRefused(json: String, error: SafetensorsError) {
    #expect(throws: error) { try SafetensorsHeader(json: Array(json.utf8), dataSize: 4) }
  }

  @Test(arguments: [
    "", " {}", "[]", "{", "{}x", #"{"a"}"#, #"{"a":1}"#, #"{"a":{}}"#, #"{"a":{"dtype":"U8","shape":[4]}}"#,
    #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1}}"#,
    #"{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[04],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#,
    #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,2,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[4,],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},}"#,
    #"{"__metadata__":{"k":1}}"#, #"{"__metadata__":{"k":"\ud800"}}"#, #"{"__metadata__":{"k":"\x"}}"#,
    "{\"__metadata__\":{\"k\":\"\n\"}}",
  ])
  func otherTextIsRefused(json: String) {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsHeader(json: Array(json.utf8), dataSize: 4)
    }
    guard case .syntax = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: [([UInt8](repeating: 255, count: 8), 100), ([9, 0, 0, 0, 0, 0, 0, 0], 16), ([1, 0], 2)])
  func lengthsBeyondTheFileAreRefused(prefix: [UInt8], fileSize: Int) {
    #expect(throws: SafetensorsError.self) { try SafetensorsHeader.jsonSize(prefix: prefix, fileSize: fileSize) }
  }

  @Test func decodingAnEncodedHeaderGivesItBack() throws {
    let header = try SafetensorsHeader(
      placing: [
        .init(name: "b \"quoted\" \\ \u{1} é", type: .f16, shape: [3, 0]), .init(name: "a", type: .i64, shape: []),
        .init(name: "c", type: .f32, shape: [5, 7]),
      ], metadata: ["z": "1", "a": "line\nbreak"])

    let bytes = header.encoded()
    let size = try SafetensorsHeader.jsonSize(prefix: bytes, fileSize: bytes.count)

    #expect(bytes.count.isMultiple(of: 64))
    #expect(size == bytes.count - 8)
    #expect(try SafetensorsHeader(json: Array(bytes[8...]), dataSize: header.dataSize) == header)
    #expect(
      String(decoding: bytes[8...], as: UTF8.self).hasPrefix(#"{"__metadata__":{"a":"line\u000abreak","z":"1"},"#))
  }

  @Test func namesThatCannotBeWrittenAreRefused() {
    let tensor = SafetensorsHeader.Description(name: "a", type: .u8, shape: [1])
    let reserved = SafetensorsHeader.Description(name: "__metadata__", type: .u8, shape: [1])
    let endless = SafetensorsHeader.Description(name: "a", type: .u8, shape: [.max, .max])
    #expect(throws: SafetensorsError.duplicateName("a")) { try SafetensorsHeader(placing: [tensor, tensor]) }
    #expect(throws: SafetensorsError.duplicateName("__metadata__")) { try SafetensorsHeader(placing: [reserved]) }
    #expect(throws: SafetensorsError.wrongSize(tensor: "a")) { try SafetensorsHeader(placing: [endless]) }
  }
}

@Suite struct SafetensorsFileTests {
  @Test func writtenTensorsAreReadBack() throws {
    let folder = try TemporaryFolder()
    let tensors = [
      SafetensorsTensor(name: "x", shape: [2, 2], values: [1, -2.5, .infinity, 0] as [Float]),
      SafetensorsTensor(name: "ids", shape: [3], values: [1, -1, .max] as [Int32]),
    ]

    let file = try SafetensorsFile(
      path: folder.write(SafetensorsWriter.encode(tensors, metadata: ["method": "cats"])))

    #expect(file.header.metadata == ["method": "cats"])
    #expect(try file.values(of: "x") == [1, -2.5, .infinity, 0])
    #expect(file.withBytes(of: "ids") { Array($0) } == tensors[1].bytes)
  }

  @Test func tensorsThatAreNoFloatsAreNotReadAsSuch() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      SafetensorsWriter.encode([SafetensorsTensor(name: "ids", shape: [1], values: [1] as [Int32])]))
    let file = try SafetensorsFile(path: path)

    #expect(throws: CheckpointError.self) { try file.values(of: "ids") }
    #expect(throws: CheckpointError.missing(path: path, item: "tensor 'x'")) { try file.values(of: "x") }
    #expect(file.withBytes(of: "x") { $0.count } == nil)
  }
}
