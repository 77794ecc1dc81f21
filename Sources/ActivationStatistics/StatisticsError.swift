/// Why statistics could not be collected, read or merged.
public enum StatisticsError: Error, Equatable, Sendable {
  case unusableActivation(layer: Int)
  case malformed(path: String, reason: String)
  case nothingToMerge
  case otherCollection(String, String, difference: String)
  case overlap(String, String, Range<Int>)
  case hole(Range<Int>)
  case incomplete(String)
  case layerOverlap(String, String, Range<Int>)
  case layerHole(Range<Int>)
  case otherSequences(String, String)
  case someLayers(path: String, Range<Int>, count: Int)
  case sumsTooLarge(layer: Int)
  case otherCheckpoint(path: String)
  case unfinished(path: String)
}

extension StatisticsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unusableActivation(let layer):
      "layer \(layer) computes activations that are infinite or not a number: check that the model's weights are intact"
    case .malformed(let path, let reason):
      "'\(path)' is not a statistics file of Gambit: \(reason)"
    case .nothingToMerge:
      "there is nothing to merge: give at least one statistics file"
    case .otherCollection(let path, let first, let difference):
      "'\(path)' has another \(difference) than '\(first)': merge only shards of one collection"
    case .overlap(let first, let second, let range):
      "'\(first)' and '\(second)' both hold sequences \(range.lowerBound) to \(range.upperBound - 1): leave one out"
    case .hole(let range):
      "no shard holds sequences \(range.lowerBound) to \(range.upperBound - 1): add the missing shards"
    case .incomplete(let missing):
      "no shard holds \(missing): add the missing shards, or --partial where they are merged with the rest later"
    case .layerOverlap(let first, let second, let range):
      "'\(first)' and '\(second)' both hold layers \(range.lowerBound) to \(range.upperBound - 1), but not the same ones: leave one out"
    case .layerHole(let range):
      "no shard holds layers \(range.lowerBound) to \(range.upperBound - 1): add the missing shards"
    case .otherSequences(let path, let first):
      "'\(path)' and '\(first)' hold different layers of different sequences: merge what is of the same sequences"
    case .someLayers(let path, let range, let count):
      "'\(path)' holds layers \(range.lowerBound) to \(range.upperBound - 1) of \(count): merge it with those of the others"
    case .sumsTooLarge(let layer):
      "the sums of layer \(layer) are too large to be stored exactly: collect in smaller shards"
    case .otherCheckpoint(let path):
      "'\(path)' was begun with another model, corpus or settings: collect with --restart to delete it and start afresh"
    case .unfinished(let path):
      "'\(path)' holds what an interrupted collection has finished: add --resume to go on from it, or --restart to delete it"
    }
  }
}
