import Foundation

/// The weights of a Hugging Face directory: `model.safetensors`, or the shards of `model.safetensors.index.json`, of which
/// some may be elsewhere where ``Checksums`` says what they are.
struct SafetensorsShards: TensorCatalog {
  let path: String
  /// Names of the files that hold weights, the index included, sorted.
  let fileNames: [String]
  /// Digests of all files, where some are not here.
  let checksums: Checksums?
  private let shards: [SafetensorsFile]
  private let shardOfTensor: [String: Int]
  /// Names of files that are not here, by tensor.
  private let fileOfAbsent: [String: String]

  var tensorNames: [String] { Array(shardOfTensor.keys) }

  private struct Index: Decodable {
    var weightMap: [String: String]

    // Tensor names must not be converted from snake case, so the key is spelled out.
    private enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
  }

  /// - Throws: ``CheckpointError`` where a file is missing or damaged, or the index contradicts the shards.
  init(directory: String) throws(CheckpointError) {
    path = directory
    let indexName = "model.safetensors.index.json"
    let indexPath = "\(directory)/\(indexName)"
    guard FileManager.default.fileExists(atPath: indexPath) else {
      let file = try SafetensorsFile(path: "\(directory)/model.safetensors")
      fileNames = ["model.safetensors"]
      (checksums, fileOfAbsent) = (nil, [:])
      shards = [file]
      shardOfTensor = Dictionary(uniqueKeysWithValues: file.tensorNames.map { ($0, 0) })
      return
    }
    let map = try Self.weightMap(indexPath)
    let names = Set(map.values).sorted()
    let listed = try Checksums(directory: directory)
    let absent = Set(
      names.filter { listed?.digests[$0] != nil && !FileManager.default.fileExists(atPath: "\(directory)/\($0)") })
    checksums = absent.isEmpty ? nil : listed
    let fileOfAbsent = map.filter { absent.contains($0.value) }
    var shards: [SafetensorsFile] = []
    var shardOfTensor: [String: Int] = [:]
    for name in names where !absent.contains(name) {
      // An index from elsewhere must not reach files outside the folder.
      guard !name.contains("/"), name.hasSuffix(".safetensors") else {
        throw .malformed(path: indexPath, problem: "'\(name)' is not the name of a shard beside it")
      }
      let shard = try SafetensorsFile(path: "\(directory)/\(name)")
      for tensor in shard.tensorNames {
        guard map[tensor] == name else {
          throw .malformed(path: indexPath, problem: "it does not list tensor '\(tensor)' of '\(name)' there")
        }
        shardOfTensor[tensor] = shards.count
      }
      shards.append(shard)
    }
    if let lost = map.keys.sorted().first(where: { shardOfTensor[$0] == nil && fileOfAbsent[$0] == nil }) {
      throw .malformed(path: indexPath, problem: "tensor '\(lost)' is not in the shard that it names")
    }
    self.fileOfAbsent = fileOfAbsent
    fileNames = [indexName] + names
    self.shards = shards
    self.shardOfTensor = shardOfTensor
  }

  func isElsewhere(_ tensor: String) -> Bool { fileOfAbsent[tensor] != nil }

  func storedTensor(named name: String) throws(CheckpointError) -> StoredTensor? {
    if let file = fileOfAbsent[name] { throw .elsewhere(path: path, tensor: name, file: file) }
    guard let shard = shardOfTensor[name] else { return nil }
    return try shards[shard].storedTensor(named: name)
  }

  private static func weightMap(_ path: String) throws(CheckpointError) -> [String: String] {
    do {
      return try JSONDecoder().decode(Index.self, from: try readWhole(path)).weightMap
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .malformed(path: path, problem: "it has no 'weight_map' from tensor to file names")
    }
  }
}
