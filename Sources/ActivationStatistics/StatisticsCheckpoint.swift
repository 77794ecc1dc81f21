import Files
import Foundation
import HDF5
import Transformer

/// The folder in which a collection grows, beside the file that it will become: one HDF5 file a
/// finished layer, and now and then the hidden states, each written atomically. Whenever the process
/// dies, what is there is whole, and the next one goes on from it.
public struct StatisticsCheckpoint: Sendable {
  public let description: StatisticsDescription
  private static let statement = "description.json"

  private let folder: String
  private let target: String
  /// Nobody else works on it meanwhile.
  private let lock: FileLock
  /// Layers from this one on are written by this process.
  private var firstOwnLayer = 0

  /// What to do with what an earlier process left.
  public enum Resumption: Sendable {
    /// Delete it.
    case never
    /// Neither go on from it nor delete it, but say that it is there.
    case onlyIfAsked
    /// Go on from it; delete it where it was begun with another model, corpus or settings.
    case whereSame
    /// Go on from it; what was begun with something else is an error.
    case always
  }

  /// Opens the folder that belongs to `target`, or makes it.
  ///
  /// - Throws: ``StatisticsError/otherCheckpoint(path:)`` where what is there is of something else,
  ///   ``StatisticsError/unfinished(path:)`` where it is not to be touched unasked,
  ///   `FileError/inUse(path:by:)` where another process works on it.
  public init(of description: StatisticsDescription, for target: String, resuming: Resumption) throws {
    try self.init(of: description, for: target, in: target + ".partial", resuming: resuming)
  }

  fileprivate init(
    of description: StatisticsDescription, for target: String, in folder: String, resuming: Resumption
  ) throws {
    self.description = description
    self.target = target
    self.folder = folder
    lock = try FileLock(path: folder + ".lock", of: folder)
    let files = FileManager.default
    let statement = "\(folder)/\(Self.statement)"
    let data = try? Data(contentsOf: URL(filePath: statement))
    let found = data.flatMap { try? JSONDecoder().decode(StatisticsDescription.self, from: $0) }
    if resuming == .onlyIfAsked, files.fileExists(atPath: path(ofLayer: description.layers.lowerBound)) {
      throw StatisticsError.unfinished(path: folder)
    }
    if files.fileExists(atPath: folder), found != description || [.never, .onlyIfAsked].contains(resuming) {
      // Without a statement the process died before there was anything to go on from, or it is not ours.
      let isEmpty = try files.contentsOfDirectory(atPath: folder).allSatisfy { $0.hasPrefix(".description.json.") }
      guard isEmpty || files.fileExists(atPath: statement) else { throw StatisticsError.otherCheckpoint(path: folder) }
      guard resuming != .always || !files.fileExists(atPath: statement) else {
        throw StatisticsError.otherCheckpoint(path: folder)
      }
      try removeFolder()
    }
    firstOwnLayer = nextLayer
    guard !files.fileExists(atPath: folder) else { return }
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try writeAtomically(encoder.encode(description), to: statement)
  }

  // MARK: Layers

  /// The first layer that is not finished; the end of them where all are.
  public var nextLayer: Int {
    description.layers.first { !FileManager.default.fileExists(atPath: path(ofLayer: $0)) }
      ?? description.layers.upperBound
  }

  /// Stores a finished layer.
  public func store(_ record: LayerRecord, layer: Int) throws {
    guard record.isStorable else { throw StatisticsError.sumsTooLarge(layer: layer) }
    try writeAtomically(to: path(ofLayer: layer)) { temporary in
      let file = try HDF5File(creating: temporary)
      try record.write(to: file.root.createGroup(StatisticsFile.group(ofLayer: layer)))
      try file.flush()
    }
  }

  private func path(ofLayer layer: Int) -> String { "\(folder)/layer-\(layer).h5" }

  // MARK: Hidden states

  /// Stores the input of layer `layer`, before which others may not be finished yet.
  ///
  /// Of those that were stored before, the latest that is behind finished layers stays.
  public func store(_ states: HiddenStates, before layer: Int) throws {
    if let usable = usableStates() {
      for earlier in storedStates() where earlier < usable {
        try? FileManager.default.removeItem(atPath: path(ofStatesBefore: earlier))
      }
    }
    try writeAtomically(to: path(ofStatesBefore: layer)) { try states.write(to: $0) }
  }

  /// Fills `states` with the input of the latest layer for which it was stored and that is not beyond the
  /// finished ones, and returns that layer; `nil` where there is none, and `states` is as it was.
  public func restore(_ states: HiddenStates) throws -> Int? {
    guard let layer = usableStates() else { return nil }
    try states.read(from: path(ofStatesBefore: layer))
    return layer
  }

  private func usableStates() -> Int? {
    let finished = nextLayer
    return storedStates().filter { $0 <= finished }.max()
  }

  private func storedStates() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
      name.hasPrefix("states-") && name.hasSuffix(".f32") ? Int(name.dropFirst(7).dropLast(4)) : nil
    }
  }

  private func path(ofStatesBefore layer: Int) -> String { "\(folder)/states-\(layer).f32" }

  // MARK: The whole

  /// Joins all layers into the target file and removes the folder.
  ///
  /// - Precondition: All of them are finished.
  public func finish() throws {
    try writeAtomically(to: target) { temporary in
      let file = try HDF5File(creating: temporary)
      try description.write(to: file)
      for layer in description.layers {
        let name = StatisticsFile.group(ofLayer: layer)
        let own = try HDF5File(reading: path(ofLayer: layer), rehearsed: layer < firstOwnLayer)
        try file.root.copy(name, of: own.root, to: name)
      }
      try file.flush()
    }
    try? removeFolder()
  }

  /// The statement last: a folder without it would be none of ours to whoever comes after a kill.
  private func removeFolder() throws {
    let files = FileManager.default
    for name in try files.contentsOfDirectory(atPath: folder) where name != Self.statement {
      try files.removeItem(atPath: "\(folder)/\(name)")
    }
    try files.removeItem(atPath: folder)
  }
}

extension StatisticsFile {
  /// Adds up shards of one collection, exactly: the result has the same bytes, however the corpus was
  /// cut, between sequences or between layers, and in whatever order the shards are given.
  ///
  /// - Throws: ``StatisticsError`` where shards do not belong together, overlap, or leave a hole.
  /// - Complexity: O(shards · layers · channels · bins) time; memory for two layers.
  public static func merge(_ paths: [String], to target: String) throws {
    try merge(paths.map { try StatisticsFile(partAt: $0) }, to: target) { _ in }
  }

  /// The same of shards that are open.
  public static func merge(_ shards: [Self], to target: String, finished: (_ layer: Int) -> Void) throws {
    // In the corpus' order, so that offsets are those of its first part in whatever order shards are given.
    let shards =
      shards.sorted {
        ($0.description.coverage.first?.lowerBound ?? 0) < ($1.description.coverage.first?.lowerBound ?? 0)
      }
    let description = try StatisticsDescription.merging(shards.map { ($0.path, $0.description) })
    // Beside the folder in which a collection of the same name may be growing.
    let checkpoint = try StatisticsCheckpoint(
      of: description, for: target, in: target + ".merging", resuming: .never)
    for layer in description.layers {
      let holders = shards.filter { $0.description.layers.contains(layer) }
      var total = try holders[0].layer(layer)
      for shard in holders.dropFirst() {
        let record = try shard.layer(layer)
        guard record.hasOffsets(of: total) else {
          throw StatisticsError.otherCollection(shard.path, holders[0].path, difference: "set of offsets")
        }
        total += record
      }
      try checkpoint.store(total, layer: layer)
      finished(layer)
    }
    try checkpoint.finish()
  }
}
