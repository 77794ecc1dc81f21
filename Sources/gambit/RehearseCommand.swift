import ArgumentParser
import Foundation
import HDF5

/// Reads an HDF5 file in a process of its own, which libhdf5 may crash: `HDF5File.rehearse(by:)`. Not for people.
struct RehearseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "rehearse", shouldDisplay: false)

  /// A second in which no libhdf5 unpacks less than this, in bytes.
  private static let slowest = 1 << 24

  @Argument var file: String

  func run() throws {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    let size = attributes?[.size] as? Int ?? 0
    // Who runs on is killed, and leaves no core behind.
    Self.limit(RLIMIT_CPU, to: 3 + size / Self.slowest)
    Self.limit(RLIMIT_CORE, to: 0)
    (try? HDF5File(reading: file))?.walk()
  }

  /// Lets every HDF5 file be read by a process like this before it is read in earnest.
  static func precedeReading() {
    guard let program = Bundle.main.executablePath else { return }
    HDF5File.rehearse { path in
      let arguments = [program, configuration.commandName ?? "", "--", path]
      // Where there can be no other process, there is no rehearsal.
      guard let child = spawn(arguments) else { return true }
      var status: Int32 = 0
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
      return status == 0
    }
  }

  /// Starts a program that hears and says nothing. Foundation's `Process` would need threads and run loops, which never
  /// come to be where memory is limited.
  private static func spawn(_ arguments: [String]) -> pid_t? {
    #if canImport(Glibc)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    var strings = arguments.map { strdup($0) } + [nil]
    defer { for string in strings { free(string) } }
    var child: pid_t = 0
    return posix_spawn(&child, arguments[0], &actions, nil, &strings, environ) == 0 ? child : nil
  }

  #if canImport(Glibc)
    private typealias Resource = __rlimit_resource
  #else
    private typealias Resource = Int32
  #endif

  private static func limit(_ resource: Resource, to value: Int) {
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(resource.rawValue)
    #endif
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    setrlimit(resource, &limit)
  }
}
