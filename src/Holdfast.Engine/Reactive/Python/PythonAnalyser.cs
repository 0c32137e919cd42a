using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;

namespace Holdfast.Engine.Reactive.Python;

/// <summary>
/// Has Python cells analysed by an interpreter of the notebook's own kernel, in a process beside it, so that a busy kernel holds up nobody who types. The process starts with the first
/// question and is asked one batch at a time. 1. Questions that wait are written together; 2. answers come in their order; 3. where the process ends, or gives no answer in time, the question it
/// was at gets an error for its answer, and a new process is asked the rest.
/// </summary>
public sealed class PythonAnalyser : ICellAnalyser, IDisposable
{
    /// <summary>Some thousand times what a cell takes.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    // A batch has to fit into the socket's buffers with its answers, or both sides would wait to write.
    private const int BatchMax = 32;
    private const int BatchCharactersMax = 16 * 1024;

    private readonly string _interpreter;
    private readonly Action _childSpawned;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _stop = new();

    // Bounded, and full only when thousands of cells are registered at once: those then wait.
    private readonly Channel<Question> _questions = Channel.CreateBounded<Question>(new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly Task _asking;
    private AnalyserProcess? _process;
    private long _lastId;

    private sealed record Question(string Source)
    {
        public TaskCompletionSource<CellAnalysis> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public PythonAnalyser(string interpreter, Action childSpawned, TimeProvider time, TimeSpan? timeout = null)
    {
        _interpreter = interpreter;
        _childSpawned = childSpawned;
        _time = time;
        _timeout = timeout ?? AnswerTimeout;
        _asking = AskAllAsync(_stop.Token);
    }

    public async Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken)
    {
        var question = new Question(source);
        await _questions.Writer.WriteAsync(question, cancellationToken);
        return await question.Answer.Task.WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _questions.Writer.TryComplete();
        _process?.Dispose();
        _stop.Dispose();
    }

    private async Task AskAllAsync(CancellationToken stop)
    {
        var batch = new Queue<Question>();
        try
        {
            while (await _questions.Reader.WaitToReadAsync(stop))
            {
                int characters = 0;
                while (batch.Count < BatchMax && (batch.Count == 0 || characters < BatchCharactersMax) && _questions.Reader.TryRead(out Question? question))
                {
                    batch.Enqueue(question);
                    characters += question.Source.Length;
                }

                while (batch.Count > 0)
                {
                    await AskAsync(batch, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            while (batch.TryDequeue(out Question? question) || _questions.Reader.TryRead(out question))
            {
                question.Answer.TrySetCanceled(CancellationToken.None);
            }
        }
    }

    /// <summary>Takes at least one question off the batch, answered.</summary>
    private async Task AskAsync(Queue<Question> batch, CancellationToken stop)
    {
        _process ??= AnalyserProcess.Start(_interpreter, _childSpawned);
        if (_process is not { } process)
        {
            batch.Dequeue().Answer.TrySetResult(Failed($"Python could not be started as {_interpreter} to look at this cell."));
            return;
        }

        string why = "Python ended while it looked at this cell.";
        try
        {
            var questions = new ArrayBufferWriter<byte>();
            long id = _lastId;
            foreach (Question question in batch)
            {
                Write(questions, ++_lastId, question.Source);
            }

            // Written while answers are read: a cell of megabytes fills what lies between.
            Task writing = process.Input.WriteAsync(questions.WrittenMemory, stop).AsTask();
            while (batch.Count > 0)
            {
                if (await process.Lines.ReadLineAsync(stop).AsTask().WaitAsync(_timeout, _time, stop) is not { } line)
                {
                    break;
                }

                CellAnalysis analysis = AnalysisJson.Read(line, ++id);
                batch.Dequeue().Answer.TrySetResult(analysis);
            }

            if (batch.Count == 0)
            {
                await writing;
                return;
            }
        }
        catch (TimeoutException)
        {
            why = $"Python had no answer for this cell within {_timeout.TotalSeconds:0.#} seconds.";
        }
        catch (Exception ended) when (ended is IOException or JsonException or ObjectDisposedException)
        {
            // What it said is of no use; neither is it.
        }

        process.Dispose();
        _process = null;
        if (batch.TryDequeue(out Question? culprit))
        {
            culprit.Answer.TrySetResult(Failed(why));
        }
    }

    private static void Write(ArrayBufferWriter<byte> buffer, long id, string source)
    {
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("source", source);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    private static CellAnalysis Failed(string message) => new() { Error = new AnalysisError(AnalysisErrorKind.NotAnalysed, message, 0) };
}
