using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Supervision;

/// <summary>
/// Goal: the folder alone decides, and in the stated order. Method: every combination of what a folder may hold is made and judged; what is
/// expected is written down in that order.
/// </summary>
public sealed class AttemptVerdictTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("holdfast-verdict-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    public enum Content
    {
        Absent,
        Whole,
        Damaged,
    }

    [Fact]
    public void Every_combination_of_what_a_folder_holds_is_judged_in_the_stated_order()
    {
        int number = 0;
        foreach (Content supervisor in Enum.GetValues<Content>())
        {
            foreach (Content exit in Enum.GetValues<Content>())
            {
                for (int bits = 0; bits < 16; bits++)
                {
                    (bool isHeld, bool hasChild, bool isJournalled, bool isOtherBoot) = (
                        (bits & 1) != 0,
                        (bits & 2) != 0,
                        (bits & 4) != 0,
                        (bits & 8) != 0
                    );
                    var files = new AttemptFiles(Path.Combine(_root, $"{number++}"));
                    Make(files, supervisor, exit, hasChild, isJournalled);
                    AttemptVerdict verdict;
                    using (isHeld ? FileLock.TryAcquire(files.Lock) : null)
                    {
                        verdict = AttemptVerdict.Of(files.Directory, isOtherBoot ? "another" : ProcessIdentity.BootIdNow);
                    }

                    AttemptFate expected =
                        isHeld ? AttemptFate.Alive
                        : exit == Content.Whole || isJournalled ? AttemptFate.Ended
                        : isOtherBoot || supervisor != Content.Absent ? AttemptFate.Lost
                        : AttemptFate.NeverStarted;
                    string folder =
                        $"supervisor {supervisor}, exit {exit}, held {isHeld}, child {hasChild}, journalled {isJournalled}, other boot {isOtherBoot}";
                    Assert.Equal($"{folder}: {expected}", $"{folder}: {verdict.Fate}");
                    Assert.Equal(expected == AttemptFate.NeverStarted, File.Exists(files.Void));
                    Assert.Equal(expected == AttemptFate.Lost, verdict.Reason is not null);
                    Assert.Equal(supervisor == Content.Whole, verdict.Supervisor is not null);
                    if (expected == AttemptFate.Ended)
                    {
                        Assert.Equal(exit == Content.Whole ? 3 : 4, verdict.Exit!.ExitCode);
                    }
                }
            }
        }
    }

    [Fact]
    public void A_claim_that_made_no_folder_never_started_and_the_folder_is_void_from_then_on()
    {
        var files = new AttemptFiles(Path.Combine(_root, "none"));
        Assert.Equal(AttemptFate.NeverStarted, AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Fate);
        Assert.True(File.Exists(files.Void));
        Assert.False(FileLock.IsHeld(files.Lock));
        Assert.Equal(AttemptFate.NeverStarted, AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Fate);
    }

    [Fact]
    public void A_lost_attempt_says_whether_its_child_is_known_to_have_been_started()
    {
        var files = new AttemptFiles(Path.Combine(_root, "one"));
        Make(files, Content.Whole, Content.Absent, hasChild: false, isJournalled: false);
        Assert.Contains(
            "may or may not have run",
            AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Reason!,
            StringComparison.Ordinal
        );
        Make(files, Content.Whole, Content.Absent, hasChild: true, isJournalled: false);
        Assert.Contains(
            "supervisor was killed",
            AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Reason!,
            StringComparison.Ordinal
        );
        Assert.Contains("restarted", AttemptVerdict.Of(files.Directory, "another").Reason!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"cause\":\"exited\"}")]
    [InlineData("{\"exitCode\":\"0\",\"cause\":\"exited\",\"reason\":\"x\"}")]
    [InlineData("{\"exitCode\":0,\"signal\":9,\"cause\":\"exited\",\"reason\":\"x\"}")]
    [InlineData("\0\0\0\0")]
    public void A_damaged_exit_record_proves_nothing(string text)
    {
        var files = new AttemptFiles(Path.Combine(_root, "one"));
        Make(files, Content.Whole, Content.Absent, hasChild: true, isJournalled: false);
        File.WriteAllText(files.Exit, text);
        Assert.Equal(AttemptFate.Lost, AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Fate);
    }

    [Fact]
    public void A_journal_whose_last_record_is_torn_has_no_exit()
    {
        var files = new AttemptFiles(Path.Combine(_root, "one"));
        Make(files, Content.Whole, Content.Absent, hasChild: true, isJournalled: true);
        string segment = Directory.GetFiles(files.Journal, "*.hfj").Max()!;
        using (FileStream stream = File.OpenWrite(segment))
        {
            stream.SetLength(stream.Length - 1);
        }

        Assert.Equal(AttemptFate.Lost, AttemptVerdict.Of(files.Directory, ProcessIdentity.BootIdNow).Fate);
    }

    private static void Make(AttemptFiles files, Content supervisor, Content exit, bool hasChild, bool isJournalled)
    {
        Directory.CreateDirectory(files.Directory);
        var process = new ProcessIdentity(ProcessIdentity.BootIdNow, 1, 1);
        Write(
            files.Supervisor,
            supervisor,
            new SupervisorRecord
            {
                Protocol = 1,
                Version = "1",
                Process = process,
                Nonce = "n",
                Socket = "s",
                Mode = AttemptSpec.KindJob,
            }.Write()
        );
        Write(files.Exit, exit, Exit(3).Write());
        Write(files.Child, hasChild ? Content.Whole : Content.Absent, new ChildRecord(process, 1).Write());
        using JournalWriter journal = JournalWriter.Open(files.Journal, JournalOptions.Default);
        journal.Append(JournalChannel.Event, new AttemptEvent { Event = AttemptEvent.Start, Attempt = "a" }.Write(), 1);
        journal.Append(JournalChannel.Stdout, "x"u8, 2);
        if (isJournalled)
        {
            journal.Append(JournalChannel.Event, new AttemptEvent { Event = AttemptEvent.ExitEvent, Exit = Exit(4) }.Write(), 3);
        }
    }

    private static ExitRecord Exit(int code) =>
        new()
        {
            ExitCode = code,
            Cause = ExitCause.Exited,
            Reason = "It ended.",
            AtUnixNanoseconds = 1,
        };

    private static void Write(string path, Content content, byte[] whole)
    {
        if (content != Content.Absent)
        {
            File.WriteAllBytes(path, content == Content.Whole ? whole : whole[..(whole.Length / 2)]);
        }
    }
}
